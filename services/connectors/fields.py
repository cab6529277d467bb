"""What a form's field is, by its name: the words that site owners use in Ukrainian, English, Russian and in Latin letters."""

import re
from functools import lru_cache

_CAMEL = re.compile(r"(?<=[a-zа-яіїєґ])(?=[A-ZА-ЯІЇЄҐ])")
_APOSTROPHES = re.compile(r"['’ʼ`\"]")
_WORD = re.compile(r"[^\W_]+")
_COUNTER = re.compile(r"q?\d+")  # tel-123, Jotform's q3_

# Words that say nothing of what is asked.
_FILLERS = frozenset(
    "your you my the a an what is s are please enter type tell us customer client contact user buyer lead person student"
    " students guest billing shipping delivery payer field input text value form sender main primary full whole"
    " ваше ваш ваша вашої вкажіть введіть укажите введите клієнта покупця контактна контактне особа особи як вас как"
    " vashe vash".split()
)
_NAMES = {
    "name": "name fullname username2 fio pib піб фио фіо п і б імя имя звати зовут імя та прізвище",
    "first": "first firstname fname given",
    "middle": "middle middlename patronymic",
    "last": "last lastname lname surname family familyname",
}
_PHRASES = {
    "": "name",  # all its words were fillers that ask for a person: "full", "customer", "как вас" (see _role)
    "name": "name",
    "fullname": "name",
    "fio": "name",
    "pib": "name",
    "піб": "name",
    "п і б": "name",
    "фіо": "name",
    "фио": "name",
    "імя": "name",
    "имя": "name",
    "звати": "name",
    "зовут": "name",
    "imya": "name",
    "імя прізвище": "name",
    "прізвище імя": "name",
}
