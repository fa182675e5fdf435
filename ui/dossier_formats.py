"""Export formats of dossiers: Word, PDF and Markdown, and their citations as RIS and CSL-JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rag.archive.dossiers import DossierPassage
from rag.sanitize import article_line, single_line, strip_controls
from rag.schema import Answer, Citation, Passage
from ui.answer_formats import FILE_FORMATS, ExportedFile, csl, escape_markdown, ris
from ui.document import Paragraph, Run
from ui.exported_turns import ExportedTurn, source_text
from ui.file_names import file_name
from ui.i18n import Texts
from ui.word_document import word_document

DOSSIER_FORMATS = ("word", "pdf", "markdown", "ris", "csl")


@dataclass(frozen=True, slots=True)
class ExportedDossier:
    """A dossier, ready for export.

    Attributes:
        name: Its name.
        passages: Its passages, in order, as the reader may see them.
        sequence: Sequence number of the archive.
        exported_on: Time of the export.
        base_url: The address at which readers reach the page; "" if it is unknown.
    """

    name: str
    passages: tuple[DossierPassage, ...]
    sequence: int
    exported_on: datetime
    base_url: str = ""

    @property
    def turn(self) -> ExportedTurn:
        """The passages that can be shown, as those of an answer."""
        citations = (_citation(number, one) for number, one in _numbered(self.passages))
        return ExportedTurn(
            self.name,
            Answer(self.name),
            self.sequence,
            passages=tuple(filter(None, citations)),
            base_url=self.base_url,
        )


def export_dossier(dossier: ExportedDossier, form: str, texts: Texts) -> ExportedFile:
    """Return a dossier as a file that is named after it.

    Args:
        dossier: The dossier.
        form: One of `DOSSIER_FORMATS`.
        texts: Language of everything except articles and notes.
    """
    kind = FILE_FORMATS[form]
    if form == "word":
        content = dossier_word(dossier, texts)
    elif form == "pdf":
        content = dossier_pdf(dossier, texts)
    elif form == "markdown":
        content = dossier_markdown(dossier, texts).encode()
    else:
        content = (ris if form == "ris" else csl)([dossier.turn], texts).encode()
    name = file_name(dossier.name, kind.suffix, fallback="dossier")
    return ExportedFile(name, kind.media_type, content)


def dossier_markdown(dossier: ExportedDossier, texts: Texts) -> str:
    """Return a dossier as Markdown, with markup in articles and notes escaped."""
    blocks = [f"# {escape_markdown(dossier.name)}"]
    cited = {citation.number: citation for citation in dossier.turn.passages}
    for number, passage in _numbered(dossier.passages):
        blocks += [escape_markdown(line) for line in _note_lines(passage)]
        if number in cited:
            citation = cited[number]
            blocks.append(f"> {escape_markdown(article_line(citation.quote))}")
            source = source_text(citation.metadata, texts, dossier.turn.address(citation))
            blocks.append(f"\\[{number}\\] {escape_markdown(source)}")
        if state := _state(passage, texts):
            blocks.append(f"*{escape_markdown(f'[{number}] {state}')}*")
    blocks.append(f"*{escape_markdown(_origin(dossier, texts))}*")
    return "\n\n".join(blocks) + "\n"


def dossier_word(dossier: ExportedDossier, texts: Texts) -> bytes:
    """Return a dossier as a Word document."""
    return word_document(
        _paragraphs(dossier, texts),
        title=single_line(dossier.name),
        language=texts.language,
        made=dossier.exported_on,
    )


def dossier_pdf(dossier: ExportedDossier, texts: Texts) -> bytes:
    """Return a dossier as a PDF."""
    from ui.pdf import pdf_document  # 0.5 s

    return pdf_document(
        _paragraphs(dossier, texts),
        title=single_line(dossier.name),
        texts=texts,
        made=dossier.exported_on,
    )


def _paragraphs(dossier: ExportedDossier, texts: Texts) -> list[Paragraph]:
    blocks = [Paragraph((Run(single_line(dossier.name)),), "Title")]
    turn = dossier.turn
    cited = {citation.number: citation for citation in turn.passages}
    for number, passage in _numbered(dossier.passages):
        blocks += [Paragraph((Run(line),)) for line in _note_lines(passage)]
        if number in cited:
            citation = cited[number]
            blocks.append(Paragraph((Run(article_line(citation.quote)),), "Quote"))
            source = f"[{number}] {source_text(citation.metadata, texts)}. "
            address = Run(turn.address(citation), address=turn.link(citation))
            blocks.append(Paragraph((Run(source), address)))
        if state := _state(passage, texts):
            blocks.append(Paragraph((Run(f"[{number}] {state}"),), "Small"))
    blocks.append(Paragraph((Run(_origin(dossier, texts)),), "Small"))
    return blocks


def _numbered(passages: Sequence[DossierPassage]) -> Iterator[tuple[int, DossierPassage]]:
    return iter(enumerate(passages, start=1))


def _citation(number: int, passage: DossierPassage) -> Citation | None:
    """Return a passage as a citation; None if its words can't be shown."""
    if passage.metadata is None:
        return None
    start, end = passage.start, passage.end
    if passage.current is not None:  # where a reader who follows the address finds it
        start, end = passage.current.start, passage.current.end
    stored = Passage(
        passage.article_id, passage.revision, passage.start, passage.end, passage.quote
    )
    return Citation(number, passage.quote, start, end, stored, passage.metadata)


def _note_lines(passage: DossierPassage) -> list[str]:
    lines = strip_controls(passage.note).splitlines()
    return [line for line in map(single_line, lines) if line]


def _state(passage: DossierPassage, texts: Texts) -> str:
    return "" if passage.state == "current" else texts(f"passage_{passage.state}")


def _origin(dossier: ExportedDossier, texts: Texts) -> str:
    day = texts.day(dossier.exported_on)
    return texts("dossier_exported", sequence=dossier.sequence, day=day)
