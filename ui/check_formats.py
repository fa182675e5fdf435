"""Export formats of checked drafts: Word, PDF and Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rag.answer.check_text import CheckedSentence, TextCheck
from rag.sanitize import article_line, single_line, web_address
from rag.schema import Citation
from ui.answer_formats import FILE_FORMATS, ExportedFile, escape_markdown
from ui.checked_text import counts_text, outcome_text
from ui.document import Paragraph, Run
from ui.exported_turns import source_text
from ui.i18n import Texts
from ui.permalinks import citation_address
from ui.word_document import word_document

CHECK_FORMATS = ("word", "pdf", "markdown")
NAME = "checked-draft"  # not the first words of the draft, which a shared folder would show


@dataclass(frozen=True, slots=True)
class ExportedCheck:
    """A checked draft, ready for export.

    Attributes:
        check: The sentences, with citations that are numbered through.
        sequence: Sequence number of the archive.
        exported_on: Time of the export.
        base_url: The address at which readers reach the page; "" if it is unknown.
    """

    check: TextCheck
    sequence: int
    exported_on: datetime
    base_url: str = ""

    def address(self, citation: Citation) -> str:
        """Return the address of a cited article, or its path in the page."""
        return citation_address(citation, self.base_url)


def export_check(exported: ExportedCheck, form: str, texts: Texts) -> ExportedFile:
    """Return a checked draft as a file.

    Args:
        exported: The checked draft.
        form: One of `CHECK_FORMATS`.
        texts: Language of everything except the draft and the articles.
    """
    kind = FILE_FORMATS[form]
    title = texts("checked_draft")
    if form == "markdown":
        content = check_markdown(exported, texts).encode()
    elif form == "word":
        content = word_document(
            _paragraphs(exported, texts),
            title=title,
            language=texts.language,
            made=exported.exported_on,
        )
    else:
        from ui.pdf import pdf_document  # 0.5 s

        content = pdf_document(
            _paragraphs(exported, texts), title=title, texts=texts, made=exported.exported_on
        )
    return ExportedFile(f"{NAME}.{kind.suffix}", kind.media_type, content)


def check_markdown(exported: ExportedCheck, texts: Texts) -> str:
    """Return a checked draft as Markdown, with markup in the draft and in articles escaped."""
    blocks = [f"# {texts('checked_draft')}", escape_markdown(counts_text(exported.check, texts))]
    for sentence in exported.check.sentences:
        blocks.append(escape_markdown(single_line(sentence.text)))
        blocks.append(f"**{escape_markdown(outcome_text(sentence, texts))}**")
        for citation in sentence.citations:
            source = source_text(citation.metadata, texts, exported.address(citation))
            blocks.append(f"> {escape_markdown(article_line(citation.quote))}")
            blocks.append(f"\\[{citation.number}\\] {escape_markdown(source)}")
    blocks.append(f"*{escape_markdown(_origin(exported, texts))}*")
    return "\n\n".join(blocks) + "\n"


def _paragraphs(exported: ExportedCheck, texts: Texts) -> list[Paragraph]:
    blocks = [
        Paragraph((Run(texts("checked_draft")),), "Title"),
        Paragraph((Run(counts_text(exported.check, texts)),), "Status"),
    ]
    for sentence in exported.check.sentences:
        blocks += _sentence(sentence, exported, texts)
    blocks.append(Paragraph((Run(_origin(exported, texts)),), "Small"))
    return blocks


def _sentence(sentence: CheckedSentence, exported: ExportedCheck, texts: Texts) -> list[Paragraph]:
    said = Run(single_line(sentence.text))
    blocks = [
        Paragraph((said,)),
        Paragraph((Run(outcome_text(sentence, texts)),), "Status"),
    ]
    for citation in sentence.citations:
        address = exported.address(citation)
        source = f"[{citation.number}] {source_text(citation.metadata, texts)}. "
        link = Run(address, address=web_address(address))
        blocks.append(Paragraph((Run(article_line(citation.quote)),), "Quote"))
        blocks.append(Paragraph((Run(source), link), "Source"))
    return blocks


def _origin(exported: ExportedCheck, texts: Texts) -> str:
    day = texts.day(exported.exported_on)
    return texts("dossier_exported", sequence=exported.sequence, day=day)
