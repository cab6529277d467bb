"""The words in which site owners name their fields: Ukrainian, English, Russian, Polish, some of them in Latin letters.

Phrases are what is left of a name when the fillers are taken away. A word with * also stands for longer ones.
"""

import re
from functools import lru_cache

# Words that say nothing of what is asked.
_FILLERS = """
    attendee applicant participant visitor member subscriber respondent tourist candidate from кандидат турист
    відвідувач посетителя заявитель заявителя your my you the a an what is s are please enter type tell us me and
    for to of in customer client contact user buyer lead student students guest billing payer field input text value
    sender full main primary own та і й и по в у до для з ваше ваш ваша вашу ваші вами вас вам вкажіть введіть
    напишіть укажите введите напишите залиште оставьте як как клієнта клієнт покупця покупець замовника замовник
    заявника учасника учасник гостя гість покупателя клиента заказчика участника платника vashe vash vasha twoje
    twój twoj podaj i oraz klienta kupującego обовязково необхідно обязательно основний основной контактний
    контактна контактне контактный особистий персональний додатковий дополнительный другий второй ще один second
    одного одної одной один одна one з із зі из
    additional alternative other ihr ihre ihren dein deine und váš vaše vase vas zadejte bitte
"""
_PEOPLE = """
    customer client contact user buyer lead student guest sender клієнт покупець замовник заявник учасник гість
"""
_CURRENCIES = """
    грн uah usd eur pln гривень гривні гривнях гривен zł доларів доларах долари долларов долларах dollars євро евро euro
"""
FILLERS, PEOPLE, CURRENCIES = (frozenset(words.split()) for words in (_FILLERS, _PEOPLE, _CURRENCIES))

# Of a way to reach somebody that is their own: "Домашній телефон".
_OWN_IDENTIFIERS = """
    home work private personal домашній домашний домашня робочий рабочий робоча запасний запасной резервний резервный
    міський городской стаціонарний стационарный альтернативний альтернативный extra alt backup day evening landline
    smartphone смартфон sms смс international national formatted e164 raw clean wp tel1 phone1 phone2 tel2 app домой
    актуальний дійсний новий новый сучасний prywatny domowy służbowy stacjonarny
"""
OWN_IDENTIFIERS = frozenset(_OWN_IDENTIFIERS.split())

# Of a country's calling code: "phone_code", "Код країни".
_CODE_WORDS = "code prefix dial dialcode код kod"
_OF_CODES = "phone tel telephone mobile country dial dialcode телефону телефона країни страны kraju"
CODE_WORDS, OF_CODES = frozenset(_CODE_WORDS.split()), frozenset(_OF_CODES.split())

# What a whole name asks for.
_PHRASES = {
    "name": "name/fullname/nom/nom complet/хто/хто ви/хто замовляє/кто/кто вы/кто заказывает/піп"
    "/fio/pib/піб/пиб/п б/п і б/фіо/фио/ф и о/імя/имя/звати/зовут/imya/imia/imja/person"
    "/особа/лицо/імя прізвище/прізвище імя/прізвище імя батькові/імя прізвище батькові/имя фамилия"
    "/фамилия имя/фамилия имя отчество/first last name/name surname/first last/imię nazwisko"
    "/imie nazwisko/nazwisko imię/nazwisko imie/name last name/first name last name/звертатися/звертатись"
    "/обращаться/representative/представтеся/представьтесь/яке імя/imya prizvyshche/imya familiya/nome"
    "/vor nachname/vorname nachname/jméno příjmení/jmeno prijmeni/příjmení jméno/аты жөні"
    "/nombre/jméno/jmeno/meno/name in full/nume/numele/név/nimi/vardas/vārds",
    "first": "first/first name/name first/firstname/fname/given name/imię/imie/vorname/prénom/prenom/forename/f name",
    "middle": "middle/middle name/patronymic/батькові/отчество/middlename",
    "last": "last/last name/name last/lastname/lname/surname/family name/прізвище/фамилия/prizvyshche/familiya/familia"
    "/nazwisko/nachname/apellido/cognome/příjmení/prijmeni/l name/familyname",
    "email": "адреса електронної пошти/адрес электронной почты/адреса ел пошти/e mail address/adres e mail"
    "/e mail/пошта/почта/електронна пошта/електронна адреса/ел пошта/эл почта/электронная почта/pochta"
    "/poshta/електронну пошту/електронної пошти/електронної адреси/электронной почты/електронка/poczta"
    "/адреса пошти",
    "page": "page/page url/pageurl/url/source url/landing page/referer/referrer/сторінка/страница/page location"
    "/href/current url/location href/url сторінки/site page",
    "form_id": "form id/formid",
    "form_name": "form name/formname/form title/formtitle/form",
    "reference": "order id/orderid/order number/invoice/invoice id/номер замовлення/номер заказа/ordernumber/order no"
    "/invoice number/номер рахунку/numer zamówienia/numer zamowienia",
    "amount": "payment amount/order total/order amount/order sum/grand total/cart total/total price"
    "/total amount/total sum/total cost/order cost/order price/сума замовлення/сумма заказа/загальна сума/общая сумма"
    "/сума сплати/сплати/оплати/оплате/к оплате/разом/разом сплати/всього/итого/сума оплати/сумма оплаты"
    "/сума покупки/сумма покупки/вартість замовлення/стоимость заказа/загальна вартість/общая стоимость"
    "/suma zamówienia/suma zamowienia/wartość zamówienia/wartosc zamowienia/kwota zamówienia/do zapłaty"
    "/razem/ordertotal/totalprice/order value",
    "sum": "сума/сумма/sum/suma/summa/total/вартість/стоимость/vartist/stoimost/kwota/wartość/wartosc"
    "/summe/betrag/gesamtbetrag/gesamtsumme/částka/castka/celkem",
    "price": "amount/price/ціна/цена/cina/tsina/cena",
    "quantity": "quantity/qty/кількість/количество/kolichestvo/kilkist/ilość/ilosc/count/шт/кількість шт",
    "currency": "currency/валюта/currency code/waluta/currencycode/payment currency/order currency",
}
BY_PHRASE = {phrase: role for role, phrases in _PHRASES.items() for phrase in phrases.split("/")}

_CLASSES = {
    "phone": """
        phone* tel telephone* mobile* mob cell cellphone cellular msisdn телефон* тел моб мобільн* мобильн*
        мобілка telefon* komórka komorka viber вайбер* whatsapp ватсап вотсап handy
    """,
    "email": "email* mail mails replyto e-mail імейл* емейл* емайл* имейл* мейл* емаил* имэйл*",
    "person": """
        імя імені имя имени піб пиб фіо фио fio pib imya imia imja imię imie imienia прізвищ* фамили* nazwisk*
        звати зовут звертат* обращат* величати величать називати называть кличуть
    """,
    "name": "name fullname names",
    "number": "number numer nomer номер номера номеру num numero nummer",
    "reach": """
        contact contacts контакт* kontakt* звяз* связ* telegram телеграм* tg messenger месенджер* мессенджер*
        skype reach callback instagram* insta інстаграм* инстаграм* facebook фейсбук* signal discord
    """,
    "message": """
        message* msg повідомлен* сообщен* comment* коментар* комментар* komentar* text textarea question* питання
        запитан* вопрос* pytannya note notes notatk* нотатк* примітк* примечан* побажан* пожелан* wish* wiadomość
        wiadomosc treść tresc uwagi zapytanie опис* descri* details деталі подробиці body inquiry enquiry review
        відгук* отзыв* feedback скарг* жалоб* proposal пропозиц* текст tekst soobshchenie povidomlennya
    """,
    # A "name" or a "number" of these is no person's.
    "thing": """
        product* товар* tovar* item* goods sku cart* kart* кошик* корзин* lines brand* бренд* course* курс*
        event* захід заходу project* проект* проєкт* service* послуг* услуг* usług* categor* категор* tariff*
        тариф* package* пакет* page* сторінк* страниц* campaign* кампан* ad adset adgroup file* файл* domain*
        домен* website* site city міст* город* street* вулиц* улиц* country країн* region* област* district*
        school* школ* univers* bank* банк* car cars auto авто* model* модел* марк* pet собак* кличк* cat dog
        hotel* готел* отел* room* кімнат* комнат* warehouse* method* спосіб* способ* option* variant* варіант*
        вариант* plan size* розмір* размер* color* колір* цвет* button* кнопк* block lang* role department*
        відділ* отдел* position* посад* должност* job* login username логін* nick* нік* ник* subject тема* quiz*
        назва назви назву названи* nazwa order* замовлен* заказ* zamówien* zamowien* code* код* id index індекс*
        индекс* zip postal postcode postal* card* карт* iban account* рахун* счет* счёт* rachun* tax* іпн инн nip
        pesel єдрпоу едрпоу edrpou passport* паспорт* invoice* інвойс* инвойс* договор* договір* contract* ttn
        ттн track* article* артикул* qty quantity* кількіст* количеств* count* amount* price* ціна ціни цена цены
        сума сумма sum total* вартіст* стоимост* date* дата дату дати даты day час часу time* hour* рік років
        year* age вік возраст* guests people людей персон осіб floor* поверх* этаж* apartment* квартир* house*
        будин* building* weight* вага вес height* зріст рост width* length* довжин* площ* area* score* rating*
        оцінк* address* адрес* адреса field_id template* шаблон* list* список* tag* group* група* group currency
        валют* discount* promo* промо* coupon* купон* fax факс gender стать пол birthday birth* народжен*
        рождени* budget* бюджет* lat lon lng latitude longitude coord* координат* vin plate* sex company* компан*
        firm* фірм* фирм* organi* організац* организац* corporat* legal юр юрособ* тов фоп llc
        тварин* животн* animal*
    """,
    # Things that have a number and no name of their own.
    "numbered": """
        лічильник* счетчик* счётчик* meter* серійн* серийн* serial інвентарн* инвентарн* inventory рнокпп унзр
        ідентифікаційн* идентификационн* накладн* waybill посилк* посылк* parcel* shipment*
        поліс* полис* групи групп* тікет* тикет* ticket* ваучер* voucher*
        квитк* квиток квитанц* чек чека receipt* рейс* flight* imei iccid штрихкод* barcode ліценз* лиценз* licen*
        сертифікат* сертификат* certificate* бонусн* bonus* реєстраційн* регистрационн* registration vat edrpo krs
        regon abn ein ssn snils снилс
    """,
    # Who answers for a child, and fills in its form.
    "guardian": """
        parent* батьк* родител* мам* мати матері тат* папы mother* father* mom dad опікун* опекун* guardian* rodzic*
        представник* представител*
    """,
    # Somebody on the side of the site: never the one who sends.
    "staff": """
        manager* менеджер* admin* адмін* админ* seller* продавц* продавец* продавець* shop* магазин* store*
        support* підтримк* поддержк* operator* оператор* consultant* консультант* our наш* hotline vendor*
        supplier* постачальник* поставщик* tracking calltracking line owner* staff employee* співробітник*
        сотрудник* notify* notification* sales noreply responsible* відповідальн* ответственн* assigned* author*
        автор* master* майстер* майстр* мастер* doctor* лікар* врач* teacher* викладач* учител* вчител* trainer*
        тренер* coach* agent* агент* courier* кур'єр* курєр* курьер* рієлтор* риелтор* realtor* dispatcher*
        диспетчер* sprzedawc* sklep* menedżer* menedzer* virtual did dynamic destination webmaster* cc bcc
        settings config merchant* sip webhook
    """,
    # Who gets what is ordered: often the one who sends.
    "recipient": """
        recipient* отримувач* одержувач* получател* receiver* addressee* адресат* shipping* delivery* доставк*
        odbiorc* dostaw* власник* владел* właściciel*
    """,
    # Somebody near the one who sends.
    "near": """
        friend* друга друг друзів друзей подруг* child* дитин* ребен* ребён* kid kids son daughter сина доньк*
        дочк* сын* husband* wife дружин* чоловік* муж* жены жена mother* father* мами тата мамы папы mom dad
        parent* батьків батька батько родител* rodzic* relative* родич* родственник* partner* партнер* emergency
        passenger* пасажир* пассажир* referrer* referral* recommended* рекоменд*
        spouse* dziecka dziecko inviter* office*
        офіс* офис* groom* bride* наречен* гостей guests honoree іменинник* director* директор* керівник*
        руководител* бухгалтер* accountant* colleague* колег* коллег* сусід* сосед*
        neighbour* neighbor*
        guarantor* поручител* host landlord* порад* порекоменд* посовет* екстрен* экстрен* sponsor* supervisor*
        kin recommender*
    """,
    # A firm or a house: its number is not a person's own.
    "company": """
        company* компан* firm* фірм* фирм* organi* організац* организац* business бізнес* corporat* site сайт*
        center* центр* callcenter branch* філі* филиал* salon* салон* studio* студі* clinic* клінік* клиник*
        hotel* готел* отел* school* школ* bank* банк* department* відділ* отдел* restaurant* ресторан*
    """,
    "consent": """
        consent* agree* acceptance* accept* privacy gdpr policy terms згод* погодж* соглас* zgod* rodo optin opt
        newsletter* subscribe* підпис* подписк* tos ознайомлен*
    """,
}
_BY_CLASS = {
    name: re.compile("|".join(re.escape(word).replace(r"\*", r"\w*") for word in words.split()))
    for name, words in _CLASSES.items()
}


@lru_cache(maxsize=16_384)
def classes(word: str) -> frozenset[str]:
    """Returns the classes of a word in a field's name."""
    return frozenset(name for name, words in _BY_CLASS.items() if words.fullmatch(word))
