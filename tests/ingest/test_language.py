"""Language detection: the declared language, unless the script contradicts it."""

from __future__ import annotations

import pytest

from ingest.language import language_of

WRITTEN = {
    "en": "The crane fell on the pier on Tuesday. Nobody was hurt, the harbour office said.",
    "de": "Der Kran ist am Dienstag auf die Mole gestürzt. Verletzt wurde niemand, so die Stadt.",
    "fr": "La grue est tombée mardi sur le quai. Personne n’a été blessé, a dit le capitaine.",
    "es": "La grúa cayó el martes en el muelle. Nadie resultó herido, dijo la autoridad.",
    "ru": "Кран упал на пирс во вторник. Никто не пострадал, сообщили в управлении порта.",
    "uk": "Кран упав на пірс у вівторок. Ніхто не постраждав, повідомили в управлінні порту.",
    "ko": "크레인이 화요일 부두에서 쓰러졌다. 다친 사람은 없다고 항만청이 말했다.",
    "zh": "起重机周二在码头倒塌。港务局说，没有人受伤，码头工程已停止。",
    "ar": "سقطت الرافعة على الرصيف يوم الثلاثاء. قالت هيئة الميناء إن أحدا لم يصب.",
}


@pytest.mark.parametrize("code", WRITTEN)
def test_language_is_detected_from_the_text(code: str) -> None:
    assert language_of(WRITTEN[code]) == code


@pytest.mark.parametrize(
    ("said", "code"), [("en-GB", "en"), ("German", "de"), ("kor", "ko"), ("zh_Hans", "zh")]
)
def test_declared_language_is_kept_as_a_code(said: str, code: str) -> None:
    assert language_of(WRITTEN[code], said) == code


@pytest.mark.parametrize("code", ["ru", "uk", "ko", "zh", "ar"])
def test_declared_english_is_ignored_above_another_script(code: str) -> None:
    assert language_of(WRITTEN[code], "en-US") == code
    assert language_of(WRITTEN["en"], code) == "en"


def test_declared_language_is_used_if_the_text_cannot_tell() -> None:
    assert language_of("24.10.2024", "ru") == "ru"
    assert language_of(WRITTEN["de"], "nl") == "nl"  # the same letters: it may be
    assert language_of("24.10.2024") == ""
