"""How hard a text is to read: the Flesch-Kincaid grade, the school year in which one can."""

import re


def grade(text: str) -> float:
    words = re.findall(r"[A-Za-z']+", text)
    sentences = [each for each in re.split(r"[.!?:]\s|\n\n", text) if re.search("[A-Za-z]", each)]
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(_syllables, words)) / len(words) - 15.59


def _syllables(word: str) -> int:
    groups = re.findall("[aeiouy]+", word.lower())
    silent = word.lower().endswith("e") and not word.lower().endswith("le") and len(groups) > 1
    return max(1, len(groups) - silent)
