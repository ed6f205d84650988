"""What a table may count by, in words. Codes of these are in words in `pages/words.py`."""

from typing import Final

WORDS: Final[dict[str, str]] = {
    "kind": "Kind of help",
    "ward": "Ward",
    "committee": "Part of the city",
    "decile": "Deprivation of the ward (1 is the most deprived tenth of England)",
    "band": "Priority score",
    "partner": "Who referred",
    "stage": "How far it has come",
    "outcome": "How it ended",
    "end": "What became of the offer",
    "channel": "How they were told",
    "told": "Whether they were told",
    "round": "Grant round",
    "state": "State",
    "score": "Score out of 100",
    "money": "Money",
    "asked": "When they were asked",
    "goal": "Whether the goal was met",
    "online": "Whether they are online now",
    "rung": "Which way of telling them it was",
    "became": "What became of it",
    "active": "Whether they help somebody now",
    "owner": "Who should have acted",
    "circumstance": "What makes it harder to be online",
    "age": "Age",
    "sex": "Sex",
    "ethnicity": "Ethnic group",
    "disability": "How far a lasting condition limits what they do",
}
