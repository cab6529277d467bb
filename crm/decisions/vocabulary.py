"""Words of payment purposes, by language: what names a deal, an order or a bill, and what has numbers of its own."""

# Our own word for a deal. Its number is the deal's, as in D-7.
DEAL = r"угод\w{0,3}|сделк\w{0,2}|deal(?:\s?id)?"
# An agreement of another kind is called so too: "додаткова угода №7", "кредитна угода 7".
OTHER_DEAL = (
    r"(?:дод|доп|додатков\w*|дополнительн\w*|миров\w*|кредитн\w*|генеральн\w*|рамков\w*|депозитн\w*|форвардн\w*"
    r"|валютн\w*|ліцензійн\w*|колективн\w*|договір|договор\w{0,2})"
)

# What a payment is usually for, and what is numbered by many: an order or a bill.
ORDER = (
    r"замовленн?\w{0,2}|замовл|замов|(?:зам?|замовл)-ня|зам|рахун(?:ок|к)\w{0,3}|рах-к\w?|рах|р-?о?к|р[/.-]?ф|с[/.-]?ф|сч[/-]ф|інвойс\w{0,2}|інв|фактур\w{0,2}"
    r"|заказ\w{0,2}|зак|заявк\w|заяв|бронюванн\w|брон\w|сч[её]т\w{0,2}|сч|инвойс\w{0,2}"
    r"|order|ord|invoice|inv|bill|po|booking|reservation|ордер\w?"
    r"|zam[oó]wieni\w{0,2}|zam|faktur\w{0,2}|fakt|fv|fra|pro[\s-]?forma|rachun\w{0,4}|objednávk\w|fakt[uú]r\w"
    r"|rechnung\w{0,8}|rg|re|auftrag\w{0,8}|bestell\w{0,8}|best"
)
# What may stand between such a word and its number.
BETWEEN = (
    r"(?:[-\s]{0,2}(?:фактур\w{0,2}|договор\w{0,2}|договір|проформ\w{0,2}|vat|pro-?forma|id|ref\.?))?"
    r"(?:\s(?:на|для)\s(?:оплат|сплат)\w)?(?:\s(?:клієнта|покупця|клиента|покупателя))?"
)

SIGN = r"№|#|n[ºo°]|nr|num|number|(?:(?:за|під|под)\s)?номер\w{0,2}|n"

# The same words are used for an account; then the number is not a bill's.
ACCOUNT = (
    r"(?<!\w)(?:(?:(?:з|із|зі)\s+рахунку|с\s+(?:рас\w+\s+)?сч[её]та|(?:на|from|to|z|na)\s+(?:the\s+)?"
    r"(?:рахун(?:ок|ку)|сч[её]т|account|rachunek|rachunku))"
    r"|(?:поповненн\w|пополнени\w)\s+(?:рахунку|сч[её]та)|(?:payment|court|money|standing)\s+order"
    r"|(?:особов\w*|власн\w*|депозитн\w*|кредитн\w*|ос|о|розрахунков\w*|поточн\w*|картков\w*|лицев\w*|расч[её]тн\w*|обслуговуванн\w*)\s?[./]?\s?"
    r"(?:рахун|рах|сч|р)\w*|р/р|р/с|о/р)"
)

# Places and makes are called by a letter and a number, as deals are: "місце D-7", "вітамін D-3" are no deals.
CALLED_SO = (
    r"вул|вітамін\w{0,2}|витамин\w{0,2}|vitamin\w?|модел\w{1,2}|model|сері\w{1,2}|series|тип\w?|type|марк\w|розмір\w?|size"
    r"|категорі\w{1,2}|рейс\w?|потяг\w?|поїзд\w?|маршрут\w?|трас\w|стояк\w?|"
    r"кв|квартир\w{0,3}|буд|будин\w{0,4}|дім|дом\w{0,2}|корп\w{0,4}|під.?їзд\w?|оф|офіс\w{0,2}|кабінет\w{0,2}|каб"
    r"|кімнат\w|кім|аудитор\w{0,2}|місц\w|паркомісц\w|паркомест\w|бокс\w{0,2}|секці\w|комірк\w|ряд\w?|літер\w?"
    r"|склад\w?|корпус\w?|apt|flat|room|office|box|gate|unit|seat|hall"
    r"|арт\w{0,6}|позиці\w|поз|код\w{0,2}|авто\w{0,6}|детал\w{1,2}|двигун\w?|сертифікат\w?|art|article|sku"
)
# So are papers: then D-7 is one reading among several.
PAPER = r"накладн\w{0,3}|ттн|ен"
# Other things that have numbers.
OTHER = (
    rf"{CALLED_SO}|{PAPER}|дог(?:ов[оі]р\w{{0,4}})?|контракт\w{{0,3}}|акт\w{{0,3}}|квитанц\w{{0,3}}|чек\w{{0,3}}|поліс\w{{0,3}}"
    r"|картк\w{0,3}|карт\w|тел\w{0,8}|відділенн\w|від|школ\w|сад\w{0,2}|груп\w|клас\w?|кас\w"
    r"|термінал\w{0,2}|поштомат\w?|магазин\w{0,2}|лот\w{0,2}|платіж|платеж\w{0,2}|внес\w{0,3}|ліценз\w{0,2}"
    r"|абонемент\w{0,2}|act|receipt|card|school|terminal|store|contract|umow\w"
)

# Between a word and its number these change nothing: "оплата №7", "за №7".
NEUTRAL = (
    r"оплат\w{0,2}|сплат\w{0,2}|передоплат\w{0,2}|предоплат\w{0,2}|доплат\w{0,2}|аванс\w{0,2}|завдат\w{0,3}|решт\w|за|по"
    r"|зг|згідно|згідно з|з|до|переказ\w{0,2}|кошти|payment|pay|for|paid|deposit|wpłata|zapłata|przelew|za|zahlung|für"
    r"|danke|дякую|дяк"
)

# A number without a sign before one of these is still the number of what stands before it; before any other word it
# says how many, or which day: "замовлення 2 вікон", "рахунок 12 листопада".
AFTER = (
    r"в?[іi]д|на|за|для|по|з|із|зі|у|в|до|без|б/?пдв|та|і|й|и|або|от|от|с|из|дата|дт|згідно|зг|оплат\w*|сплат\w*|передоплат\w*"
    r"|предоплат\w*|доплат\w*|аванс\w*|завдат\w*|решт\w*|остаточн\w*|повн\w*|част\w*|перш\w*|друг\w*|сум[аиіу]|послуг\w*|товар\w*"
    r"|дякую|дяк\w*|спасиб\w*|пдв|ндс|у т|в т|from|for|of|on|dated|by|and|to|thank\w*|thx|paid|full|part\w*|deposit"
    r"|amount|kwot\w|betrag|z|za|od|do|dla|dnia|i|oraz|vom|für|und|von|dated|datum|danke|bez"
)

# Counted or measured: "50%", "500 грн", "3 шт".
UNIT = (
    r"%|‰|грн|uah|₴|usd|\$|eur|€|євро|zł|zl|pln|£|gbp|коп|шт|szt|pcs|stück|stk|дн\w*|год\w*|міс\w*|м²|м2|кв\.?\s?м|кг|л\b"
    r"|пар\w?\b"
)

# Money that is no customer's, or comes back from where it went: words and a sum alone decide nothing about it.
NOT_A_CUSTOMERS = (
    r"поверненн\w|повернут\w|повертаю|возврат\w?|возвращ\w+|вернул\w?|refund\w*|reversal|chargeback|money\s?back"
    r"|return(?:ed)?\s+(?:of\s+)?(?:funds|payment|money)|zwrot\w?|zwróc\w+|(?:rück)?erstattung|retoure"
    r"|rück(?:zahlung|überweisung|buchung|lastschrift)|storno|сторно"
    r"|(?:відмін|отмен|відкликанн)\w\s+плат[іе]ж\w*|помилково\s+\w+|ошибочно\s+\w+"
    r"|власн\w+\s+кошт\w+|собственн\w+\s+средств\w*|own\s+(?:funds|accounts?)|środk\w+\s+własn\w+"
    r"|(?:між|между)\s+(?:своїми|власними|своими|собственными)"
    r"|к[еэ]шб[еэ]к\w*|cash-?back|еквайринг\w*|эквайринг\w*|acquiring|payout\w*|auszahlung|wypłat\w|settlement\s+batch"
    r"|(?:за|по|згідно)\s+ре[єе]стр\w{0,3}\b|ре[єе]стр\w?\s?(?:№|#|\d)|зведен\w+\s+плат[іе]ж\w*"
    r"|зарплат\w*|заробітн\w+\s+плат\w*|заработн\w+\s+плат\w*|оплат\w\s+(?:праці|труда)|salary|payroll"
    r"|wynagrodzeni\w+|gehalt|lohn\b|vergütung"
    r"|пенсі[яїю]\b|пенси[яию]\b|стипенді[яїю]\b|стипенди[яию]\b|(?:матеріальн|соціальн|материальн|социальн)\w+\s+(?:допомог|помощ|виплат)\w*"
    r"|відсотк\w+|проценты?\b|interest\b|odsetki|zinsen|дивіденд\w*|dividend\w*"
    r"|(?:наданн|погашенн|погашени)\w+\s+кредит\w*|кредитн\w+\s+кошт\w*|транш\w?|позик\w|займ\w?\b|loan\b|pożyczk\w"
    r"|kredytu\b|darlehen\w?|(?:фінансов|финансов)\w+\s+(?:допомог|помощ)\w*|(?:статутн|уставн)\w+\s+кап[иі]тал\w*"
    r"|продаж\w*\s+валют\w*|купівл\w+\s+валют\w*|відшкодуванн\w|возмещени\w|страхов\w+\s+виплат\w*|insurance\s+claim"
    r"|субсиді\w|грант\w?\b"
)
