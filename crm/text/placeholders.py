"""What people write into a field that they must fill in: it identifies nobody."""

import re
import unicodedata
from functools import lru_cache

from crm.dialling import is_nonsense, national_of

_LONGEST = 254
_NUMBER = re.compile(r"[0-9]{2,}")
_WORD = re.compile(r"[^\W_]+")
_BEGINNING = re.compile(r"([^\W\d_]+\d{3,}(?=@))|[^\W\d_]{3,}(?=[\s._\d@]|$)")
_NOTHING_WORDS = """
    немає нема нету нет ні ненемає відсутній відсутня відсутнє відсутня отсутствует невідомо невідомий невідома
    неизвестно неизвестный неизвестная анонім анонимно анонімно аноним anonymous anonim anonymously no not none nope
    nothing null nan undefined unknown na nemae nema net nomail noemail noname nobody empty blank brak
    set provided given
    nie niema nieznany brakdanych ніхто никто ненадо неуказано невказано невказаний
"""
_STOCK_WORDS = """
    test tests testing tester tst demo sample example user username guest client customer name
    firstname lastname surname mail email
    asdf asdfg asdfgh qwerty qwert qwe abc xyz foo bar foobar fake temp xxx
    тест тестовий тестовая тестовый тестовое тестування проба пробный пробний приклад гість гость імя имя прізвище
    фамилия піб фио клієнт клиент покупець покупатель користувач пользователь фыва йцукен йцу фівапр абв testowy klient
"""
_NO_REPLY = "noreply no-reply donotreply do-not-reply mailer-daemon nomail noemail no-mail no-email"
_STOCK_HOSTS = re.compile(
    r"(?:e?mail|test|tests|example|sample|domain|mydomain|yourdomain|site|yoursite|website|company|yourcompany|none|no|"
    r"nomail|noemail|no-mail|no-email|null|fake|asdf|qwerty|aaa|abc|xxx|gmail|ukr|i|meta|mail\w?|yahoo|hotmail|outlook|"
    r"icloud|proton|bigmir|bk|inbox|list|yandex|ya|rambler|wp|onet|interia|o2|gmx|web)\.[a-z.]{2,10}"
)
_NO_HOSTS = re.compile(
    r"(?:no|none|nomail|noemail|no-mail|no-email|null|nowhere|fake|nema|nemae)\.[a-z]{2,6}|.*\.(?:invalid|localhost)"
)

_NOTHING, _STOCK, _MAILBOXES = (frozenset(words.split()) for words in (_NOTHING_WORDS, _STOCK_WORDS, _NO_REPLY))


def is_placeholder(kind: str, value: str) -> bool:
    """Whether a "name", "email" or "phone" was only written to write something: "-", "немає", test@test.com."""
    if len(value) > _LONGEST or _is_somebodys(kind, value):
        return False
    return _is_placeholder(kind, value)


def _is_somebodys(kind: str, value: str) -> bool:
    """At a glance, for most: the last digits of a number that is no row of one step, the first word of a name, or a
    number in it."""
    if kind == "phone":
        last = value[-5:]
        if not (len(value) > 9 and last.isascii() and last.isdecimal()):
            return False
        a, b, c, d, e = map(int, last)
        return not ((b - a) % 10 == (c - b) % 10 == (d - c) % 10 == (e - d) % 10)
    if kind == "name" and (number := _NUMBER.search(value)):
        return not is_nonsense(number[0])
    word = _BEGINNING.match(value)
    if word is None or not (word[1] or _is_no_stock_word(word[0])):
        return False
    return kind == "name" or _is_no_stock_host(value.rpartition("@")[2])


@lru_cache(maxsize=8_192)
def _is_no_stock_word(word: str) -> bool:
    return not _is_placeholder("name", word) and not _is_placeholder("email", f"{word}@host-of-somebody.com")


@lru_cache(maxsize=8_192)
def _is_no_stock_host(host: str) -> bool:
    return not _is_placeholder("email", f"olena.koval@{host}")


@lru_cache(maxsize=16_384)
def _is_placeholder(kind: str, value: str) -> bool:
    text = unicodedata.normalize("NFKC", value).strip().casefold()
    words = _words(text)
    if _is_nothing(text, words):
        return True
    if kind == "email":
        return _is_stock_address(text)
    return _is_stock_number(text) if kind == "phone" else _is_stock_name(words)


def _is_nothing(text: str, words: list[str]) -> bool:
    """No letter or digit, one of them again and again, or words for none only."""
    if len(set(filter(str.isalnum, text))) <= 1:
        return True
    return all(word in _NOTHING for word in words) or "".join(words) in _NOTHING


def _is_stock_name(words: list[str]) -> bool:
    return all(word in _STOCK or word in _NOTHING or len(word) == 1 or is_nonsense(word) for word in words)


def _is_stock_address(text: str) -> bool:
    local, at, host = text.rpartition("@")
    if not at:
        return False
    words = _words(local)
    if local in _MAILBOXES or _NO_HOSTS.fullmatch(host) or (words and all(word in _NOTHING for word in words)):
        return True
    if words and words[0] in ("test", "тест") and all(word in _STOCK or word.isdecimal() for word in words):
        return True
    label = host.partition(".")[0]
    if len(local) == 1:
        return local == label  # a@a.com; o@gmail.com may be somebody's
    stock = _is_nothing(local, words) or is_nonsense(local) or (words and all(word in _STOCK for word in words))
    if not stock:
        return False
    return _STOCK_HOSTS.fullmatch(host) is not None or _is_nothing(label, _words(label)) or local == label


def _is_stock_number(text: str) -> bool:
    """Of one repeated digit, counting, or with nothing but zeros behind its first part."""
    digits = national_of(text) or "".join(sign for sign in text if sign.isdecimal())
    return not digits or digits.endswith("0000000") or is_nonsense(digits)


def _words(text: str) -> list[str]:
    return _WORD.findall(re.sub(r"['’ʼ`]", "", text))
