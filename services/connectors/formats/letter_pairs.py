"""How much a text looks like words of people here: the judge between charsets whose bytes all mean something.

The model is the sample below: pairs of letters that names and forms really have. Cases inside a word, letters of two
scripts side by side and signs that nobody types speak against a reading.
"""

import math
import re
from collections import Counter
from functools import lru_cache
from itertools import pairwise

_CYRILLIC = """
Олена Дідух Іван Їжакевич Андрій Гайовий Євгенія Кіщук Галина Чепіга Олександр Олександра Наталія Тетяна Ірина Юлія
Оксана Світлана Людмила Марія Катерина Анна Ганна Вікторія Дарина Дарія Софія Анастасія Валентина Лариса Любов Надія
Віра Ольга Богдан Богдана Володимир Василь Сергій Микола Михайло Петро Павло Дмитро Ігор Юрій Юлія Роман Тарас Максим
Артем Ярослав Ярослава Святослав Вадим Віталій Віктор Анатолій Григорій Степан Федір Лев Леонід Борис Назар Остап Денис
Єгор Кирило Данило Гнат Орест Зіновій Мирослава Соломія Злата Ростислав Станіслав В'ячеслав Геннадій Едуард Руслан
Шевченко Коваленко Бондаренко Ткаченко Кравченко Олійник Шевчук Коваль Поліщук Бондар Ткачук Мороз Лисенко Марченко
Савченко Руденко Петренко Мельник Мельничук Кравчук Бойко Гончар Гончаренко Козак Козаченко Павленко Левченко Романюк
Василенко Панченко Сидоренко Кучер Хоменко Захарченко Щербак Щур Юрчук Яковенко Ющенко Жук Журавель Гаврилюк Білий
Ковальчук Литвин Литвиненко Ткач Швець Костенко Кузьменко Семенюк Паламарчук Дяченко Тимошенко Назаренко Вовк Синиця
Київ Києві Львів Харків Одеса Дніпро Запоріжжя Вінниця Полтава Чернігів Чернівці Черкаси Суми Рівне Луцьк Тернопіль
Житомир Ужгород Миколаїв Херсон Хмельницький Івано-Франківськ область район вулиця вул проспект будинок кв місто село
Добрий день доброго дня вітаю будь ласка передзвоніть мені завтра сьогодні ввечері зранку після хочу замовити дізнатися
ціну вартість доставка доставку відділення пошта нова замовлення товар скільки коштує чи є в наявності потрібна
консультація питання щодо запис на прийом ремонт квартири послуги договір оплата рахунок грн гривень дякую чекаю
телефон ім'я прізвище повідомлення коментар Ґава Ґалаґан ґанок Аґата
осінь весна зима літо акція знижка реклама запис купити дешевше щось ще
Здравствуйте добрый день хочу узнать цену сколько стоит перезвоните мне пожалуйста завтра сегодня вечером нужна
доставка заказ товар есть ли в наличии вопрос спасибо Александр Алексей Андрей Дмитрий Сергей Евгений Евгения Екатерина
Елена Наталья Татьяна Юлия Мария Николай Михаил Владимир Иванов Петров Смирнов Кузнецов Попов Васильев это что как
для или его она они мы вы был была можно только очень также купить осень реклама скидка объявление съёмка ещё
"""
_LATIN = """
José Muñoz María García Núñez Ibáñez Fernández Jiménez Rodríguez Sánchez Martínez Hernández Álvarez Andrés Ángel Íñigo
Begoña Peña España señor mañana año niño información teléfono dirección gracias qué cómo cuánto está día café
Jörg Weiß Müller Günter Jürgen Käthe Björn Grüße Größe Straße schön für über möchte können Köln München Düsseldorf
Österreich Übung Ärztin Schäfer Krüger Schröder König Böhm Groß Fuß Bäcker Löwe Söhne Anfrage Gespräch bitte zurück
François Hélène Zoé Noël Benoît Chloé Jérôme Agnès Irène Éric Élodie André René Façade garçon bientôt où déjà très
Łukasz Żak Agnieszka Małgorzata Paweł Michał Stanisław Władysław Wójcik Dąbrowski Wiśniewski Kamiński Zieliński
Szymański Woźniak Kozłowski Jabłoński Król Górski Gałązka Źródło Świątek Śliwa Łódź Kraków Poznań Gdańsk Wrocław
proszę dzień dobry dziękuję usługa zamówienie płatność święta część będzie są się już jeszcze ćwiczenia Bożena Grażyna
Tomáš Dvořák Jiří Novák Lukáš Růžička Kateřina Jaroslav Němec Černý Procházka Kučera Veselý Horák Zdeněk Štěpán Žofie
Žižkov Plzeň Brno děkuji prosím můžete číslo příklad koľko Ľubica Ďuriš Peťo Gergő Székely Győr kérem köszönöm ünnep
Åsa Sjöberg Søren Kjær Jørgensen Bjørn Åge Lindström Bäckström João Gonçalves Conceição São Luís Inês Antônio não você
Marta Anna Peter Thomas Maria Laura Robert Martin Daniel Eva Jan Petr Pavel Monika Karolina Katarzyna Piotr Krzysztof
"""
_UNSEEN = math.log(0.0004)
_STRANGE, _MIXED, _CASE, _UPPER, _CUT_OFF = -8.0, -9.0, -6.0, -1.5, -2.0
_USUAL_SIGNS = frozenset("«»“”„’‘–—…№€°§©®™·•×¡¿ªº\u00a0\u2019`")
_WORD = re.compile(r"[^\W\d_]+")
_UKRAINIAN, _RUSSIAN = frozenset("іїєґІЇЄҐ"), frozenset("ыэъёЫЭЪЁ")  # in one text there are not both
_RARE = frozenset("ђѓѐѝќљњћџјѕЂЃЀЍЌЉЊЋЏЈЅўЎ")


@lru_cache(maxsize=1)
def _pairs() -> dict[str, float]:
    """The logarithm of how often the second letter follows the first, a blank being the edge of a word."""
    model: dict[str, float] = {}
    for sample in (_CYRILLIC, _LATIN):
        words = _WORD.findall(sample.replace("'", "").lower())
        counts = Counter(pair for word in words for pair in _pairs_of(word))
        firsts = Counter(pair[0] for pair in counts.elements())
        model |= {pair: math.log((count + 0.1) / (firsts[pair[0]] + 4)) for pair, count in counts.items()}
    return model


def _pairs_of(word: str) -> list[str]:
    framed = f" {word} "
    return [a + b for a, b in pairwise(framed)]


def likelihood(text: str) -> float:
    """A logarithm: comparable between readings of the same bytes. What is ASCII alone counts nothing."""
    letters = set(text)
    score = _CASE if letters & _RUSSIAN and letters & _UKRAINIAN else 0.0
    for word in _WORD.findall(text):
        if not word.isascii():
            score += _of_word(word)
    for at, sign in enumerate(text):
        if sign > "\x7f" and not sign.isalpha():
            score += _of_sign(sign, text[max(at - 1, 0) : at], text[at + 1 : at + 2])
    return score


def _of_sign(sign: str, before: str, after: str) -> float:
    if sign == "\ufffd":
        return _CUT_OFF if before and not after else _STRANGE  # texts are cut at their end
    if before.isalpha() and after.isalpha():
        return 0.0 if sign in "’`" else 1.5 * _STRANGE
    if sign not in _USUAL_SIGNS:
        return _STRANGE
    return _STRANGE if after.islower() or (after.isalpha() and sign in "№€£°§") else _UNSEEN / 2


def _of_word(word: str) -> float:
    cyrillic = any("\u0400" <= letter <= "\u052f" for letter in word)
    if cyrillic:
        word = word.replace("i", "і").replace("I", "І")  # typed for each other since ever
    model = _pairs()
    score = sum(map(_of_letter, word))
    pairs = [pair for pair in _pairs_of(word.lower()) if not pair.isascii()]
    score += sum(max(model.get(pair, _UNSEEN), -4.0 if pair[0] == " " else _UNSEEN) for pair in pairs)
    score += _CASE * sum(a.islower() and b.isupper() for a, b in pairwise(word))
    if len(word) > 2 and word[:2].isupper() and not word.isupper():
        score += _CASE
    if cyrillic:
        score += _MIXED * sum(a.isascii() != b.isascii() for a, b in pairwise(word))
    return score + (_UPPER if len(word) > 1 and word.isupper() else 0)


def _of_letter(letter: str) -> float:
    """Letters that no language of the sample has."""
    if letter in _RARE:
        return _STRANGE
    return 0.0 if letter < "\u0180" or "\u0400" <= letter <= "\u045f" or letter in "Ґґ" else _STRANGE
