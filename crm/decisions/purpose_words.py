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
    r"замов\w{0,6}(?:-\w{1,3})?|зам(?:-ня)?|рахун(?:ок|к)\w{0,3}|рах(?:-\w{1,4})?|р-о?к\w?|р[/.-]?ф|с[/.-]?ф|сч[/-]ф"
    r"|інвойс\w{0,2}|інв|фактур\w{0,2}"
    r"|заказ\w{0,2}|зак|заявк\w|заяв|бронюванн\w|брон\w|сч[её]т\w{0,2}|сч|инвойс\w{0,2}"
    r"|order|ord|invoice|inv|bill|po|booking|reservation"
    r"|zam[oó]wieni\w{0,2}|zam|faktur\w{0,2}|fakt|fv|fra|pro[\s-]?forma|rachun\w{0,4}|objednávk\w|fakt[uú]r\w|facture?"
    r"|factura|fattura|rechnung\w{0,8}|rg|re|auftrag\w{0,8}|bestell\w{0,8}|best"
)
# What may stand between such a word and its number.
BETWEEN = (
    r"(?:[-\s]{0,2}(?:фактур\w{0,2}|договор\w{0,2}|договір|проформ\w{0,2}|vat|pro-?forma|id|ref\.?))?"
    r"(?:\s(?:на|для)\s(?:оплат|сплат)\w)?(?:\s(?:клієнта|покупця|клиента|покупателя))?"
)

SIGN = r"№|#|n[ºo°]|nr|č|num|number|(?:(?:за|під|под)\s)?номер\w{0,2}|ном\.|n"

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
    r"|стіл|столу|столик\w{0,2}|стенд\w{0,2}|павільйон\w{0,2}|контейнер\w{0,2}|ділянк\w{0,2}|гараж\w{0,2}|ангар\w{0,2}|цех\w{0,2}"
    r"|зал\w{0,2}|сектор\w{0,2}|блок\w{0,2}|корт\w{0,2}|доріжк\w|шаф\w{1,3}|стелаж\w{0,2}|полиц\w|вагон\w{0,2}|купе|причал\w{0,2}"
    r"|платформ\w|ліжк\w|намет\w{0,2}|приміщенн\w|помещени\w|стоянк\w|парковк\w|просп|пров|бульв|бул|пл|table|stand|berth|locker"
    r"|тур\w{0,2}|лот\w{0,2}|тариф\w{0,2}|паспорт\w{0,2}|поліс\w{0,2}|полис\w{0,2}|lot|котел|котл\w{1,2}|насос\w{0,2}|батаре\w{1,3}|трактор\w{0,2}|мотор\w{0,2}|лінзи?|бетон\w{0,2}"
    r"|склад\w?|корпус\w?|apt|flat|room|office|box|gate|unit|seat|hall"
    r"|арт\w{0,6}|позиці\w|поз|код\w{0,2}|авто\w{0,6}|детал\w{1,2}|двигун\w?|сертифікат\w?|art|article|sku"
)
# So are groups, unless a number is before them: "7-Б клас, D-8".
FORMED = r"груп\w{1,2}|клас\w{0,2}|курс\w{0,2}|group|class|course"
# So are papers: then D-7 is one reading among several.
PAPER = r"накладн\w{0,3}|ттн|ен"
# Other things that have numbers.
OTHER = (
    rf"{CALLED_SO}|{PAPER}|дог(?:ов[оі]р\w{{0,4}})?|контракт\w{{0,3}}|акт\w{{0,3}}|квитанц\w{{0,3}}|чек\w{{0,3}}|поліс\w{{0,3}}"
    r"|картк\w{0,3}|карт\w|тел\w{0,8}|відділенн\w|школ\w|сад\w{0,2}|груп\w|клас\w?|кас\w"
    r"|термінал\w{0,2}|поштомат\w?|магазин\w{0,2}|лот\w{0,2}|платіж|платеж\w{0,2}|внес\w{0,3}|ліценз\w{0,2}"
    r"|абонемент\w{0,2}|act|receipt|card|school|terminal|store|contract|umow\w"
)

# A number after these is of nothing else: "оплата №7", "за №7". An advance or a transfer has a number of its own.
NEUTRAL = (
    r"оплат\w{0,2}|сплат\w{0,2}|за|по|зг|згідно|з|до|payment|pay|for|paid|wpłata|zapłata|za|zahlung|für|danke|дякую|дяк"
)

# A number without a sign before one of these is still the number of what stands before it; before any other word it
# says how many, or which day: "замовлення 2 вікон", "рахунок 12 листопада".
AFTER = (
    r"в?[іi]д|на|за|для|по|з|із|зі|у|в|до|без|б/?пдв|та|і|й|и|або|от|от|с|из|дата|дт|згідно|зг|оплат\w*|сплат\w*|передоплат\w*"
    r"|предоплат\w*|доплат\w*|аванс\w*|завдат\w*|решт\w*|остаточн\w*|повн\w*|част\w*|перш\w*|друг\w*|сум[аиіу]|послуг\w*|товар\w*"
    r"|дякую|дяк\w*|спасиб\w*|пдв|ндс|у т|в т|from|for|of|on|dated|by|and|to|thank\w*|thx|paid|full|part\w*|deposit"
    r"|amount|kwot\w|betrag|z|za|od|do|dla|dnia|i|oraz|vom|für|und|von|dated|datum|danke|bez"
    r"|тов|фоп|пп|прат|ат|чп|ооо|осбб|llc|ltd|gmbh|sp"
)

# Counted or measured: "50%", "500 грн", "3 шт".
UNIT = (
    r"%|‰|грн|uah|₴|usd|\$|eur|€|євро|zł|zl|pln|£|gbp|коп(?:\b|і\w+)|шт(?:\b|ук\w?)|szt\b|pcs\b|stück|stk\b|од\b"
    r"|дн(?:\b|ів|і\b|я\b)|числа\b|рок(?:ів|и)\b|лет\b|поверх\w*|этаж\w*|тижн\w+|недел\w+|осіб\b|людей\b|хвилин\w?|раз(?:ів|и)\b|год(?:\b|ин\w?)|міс(?:\b|яц\w+)|м²|м2|кв\.?\s?м|кг\b|л\b|пар\w?\b"
)
# "угода 12 листопада": a day, also after our own word.
MONTH = (
    r"січ|лют|берез|квіт|трав|черв|лип|серп|верес|жовт|листоп|груд|январ|феврал|март|апрел|мая\b|июн|июл|август|сентяб"
    r"|октяб|нояб|декаб|styc|lut|marc|kwie|maj|czerw|lip|sierp|wrze|paźdz|listop|grud|jan|feb|mar|apr|may|jun|jul|aug"
    r"|sep|oct|okt|nov|dec|dez|mär|mai"
)

# Money that is no customer's, or comes back from where it went: words and a sum alone decide nothing about it.
NOT_A_CUSTOMERS = (
    r"поверненн\w|повернут\w|повертаю|возврат\w?|возвращ\w+|вернул\w?|refund\w*|reversal|chargeback|money\s?back"
    r"|return(?:ed)?\s+(?:of\s+)?(?:funds|payment|money)|zwrot\w?|zwróc\w+|erstattung|retoure"
    r"|rück(?:zahlung|erstattung|überweisung|buchung|lastschrift)|storno|сторно"
    r"|від(?:мін|кликанн)\w\s+платеж\w*|отмен\w\s+платеж\w*|помилково\s+\w+|помилков\w+\s+плат[іе]ж\w*|ошибочн\w+\s+плат[её]ж\w*|чарджб[еє]к\w*|ошибочно\s+\w+"
    r"|власн\w+\s+кошт\w+|собственн\w+\s+средств\w*|own\s+(?:funds|accounts?)|środk\w+\s+własn\w+"
    r"|між\s+(?:своїми|власними)|между\s+(?:своими|собственными)"
    r"|к[еэ]шб[еэ]к\w*|cash-?back|еквайринг\w*|эквайринг\w*|acquiring|payout\w*|auszahlung|wypłat\w|settlement\s+batch"
    r"|за\s+реєстр\w{0,3}\b|по\s+ре[єе]стр\w{0,3}\b|згідно\s+реєстр\w{0,3}\b|ре[єе]стр\w?\s?(?:№|#|\d)|зведен\w+\s+плат[іе]ж\w*"
    r"|зарплат\w*|заробітн\w+\s+плат\w*|заработн\w+\s+плат\w*|оплат\w\s+(?:праці|труда)|salary|payroll"
    r"|wynagrodzeni\w+|gehalt|lohn\b|vergütung"
    r"|пенсі[яїю]\b|пенси[яию]\b|стипенді[яїю]\b|стипенди[яию]\b|мат[еі]р[іи]альн\w+\s+(?:допомог|помощ)\w*|соц[іи]альн\w+\s+(?:допомог|помощ|виплат)\w*"
    r"|відсотк\w+|проценты?\b|interest\b|odsetki|zinsen|дивіденд\w*|dividend\w*"
    r"|наданн\w+\s+кредит\w*|погашен\w+\s+кредит\w*|кредитн\w+\s+кошт\w*|транш\w?|позик\w|займ\w?\b|loan\b|pożyczk\w"
    r"|kredytu\b|darlehen\w?|ф[іи]нансов\w+\s+(?:допомог|помощ)\w*|статутн\w+\s+капітал\w*|уставн\w+\s+капитал\w*"
    r"|продаж\w*\s+валют\w*|купівл\w+\s+валют\w*|відшкодуванн\w|возмещени\w|страхов\w+\s+виплат\w*|insurance\s+claim"
    r"|субсиді\w|грант\w?\b"
)
