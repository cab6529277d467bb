"""Given names and what people make of them: one name a line, in any of its forms. One form may be of several names."""

from functools import cache

from crm.text.phonetics import word_key

FORMS = """
Олександр Александр Сашко Саша Саня Сашка Шура Лесь Алекс Alexander Alex Олександро Санько Шурик
Олександра Александра Саша Саня Сашка Шура Леся Алекс Alexandra Alex
Олексій Алексей Льоша Лёша Олекса Льошка Альоша Алёша Alexey Alexei Oleksii
Олена Елена Лена Оленка Оленочка Лєна Алена Алёна Альона Helen Elena
Аліна Алина Аля Alina
Анастасія Анастасия Настя Настуся Ася Стася Настасья Настька Anastasia
Андрій Андрей Андрійко Андрюша Andrew Andre Andrii
Анатолій Анатолий Толя Толик Толік Anatoly
Анна Ганна Аня Анюта Ганнуся Нюта Анечка Ганя Нюра Anne Ann Hanna
Антон Тоха Антоша Антін Anton Anthony
Антоніна Антонина Тоня Ніна Antonina
Артем Артём Тема Тьома Тёма Artem
Артур Arthur
Богдан Бодя Богданчик Даня Bohdan
Богдана Дана Богданка
Борис Боря Boris
Вадим Вадік Вадик Vadim
Валентин Валя Валік Valentin Valentine
Валентина Валя Валюша Valentina
Валерій Валерий Валера Valery Valerii
Валерія Валерия Лєра Лера Valeria Valerie
Василь Василий Вася Василько Basil Vasyl
Василина Вася Ліна
Віктор Виктор Вітя Витя Victor
Вікторія Виктория Віка Вика Вікуся Victoria Vika
Віра Вера Вірочка Vera
Віталій Виталий Віталик Виталик Vitaly Vitalii
Віталіна Виталина Віта Ліна
Владислав Влад Владик Vladyslav Vladislav Слава Славік
Владислава Влада Слава
Володимир Владимир Вова Володя Вовчик Влодко Volodymyr Vladimir
Вячеслав Слава Славік В'ячеслав Славко Viacheslav
Галина Галя Галинка Галочка Halyna Galina
Геннадій Геннадий Гена Gennady
Георгій Георгий Гоша Жора Юрій George Heorhii
Григорій Григорий Гриша Гриць Грицько Gregory
Дар'я Дарія Дарья Даша Дарина Даринка Darya Daria
Данило Данил Данііл Даня Даниил Daniel Danylo
Дмитро Дмитрий Діма Дима Митя Дмитрик Dima Dmytro Dmitry
Діана Диана Diana
Денис Дєня Den Denis
Євген Евгений Женя Євгеній Eugene Yevhen Evgeny
Євгенія Евгения Женя Eugenia Yevheniia
Едуард Эдуард Едік Эдик Eduard Edward
Єлизавета Елизавета Ліза Лиза Elizabeth Lisa
Захар Zakhar
Зінаїда Зинаида Зіна Зина
Зоя Zoya
Іван Иван Ваня Івась Івасик Ivan John
Іванна Ивана Ваня Івана Іванка
Ігор Игорь Ігорко Гарик Igor Ihor
Ілля Илья Ілюша Ілько Illia Ilya
Інна Инна Інночка Inna
Ірина Ирина Іра Ира Іринка Ірочка Irene Irina Iryna
Катерина Екатерина Катя Катруся Катюша Катерінка Catherine Kate Kateryna Ekaterina
Карина Каріна Karina
Кирило Кирилл Кіра Кирюша Kyrylo Cyril
Костянтин Константин Костя Constantine Kostiantyn
Ксенія Ксения Оксана Ксюша Ксеня Оксанка Xenia Kseniia Oxana
Лариса Лара Larisa
Леонід Леонид Льоня Лёня Leonid
Леся Лариса Олеся
Лідія Лидия Ліда Лида Lidia
Лілія Лилия Ліля Лиля Lilia
Любов Любовь Люба Любочка Liubov
Людмила Люда Мила Люся Людочка Liudmyla Ludmila
Максим Макс Maksym Maxim Max
Маргарита Рита Марго Margarita
Марина Мариночка Маринка Marina Maryna
Марія Мария Маша Марійка Маруся Маня Марічка Maria Mary Mariia Марья
Маряна Мар'яна Марьяна Мар'янка Mariana
Марк Марко Mark Marko
Мар'ян Мар'янчик Marian
Михайло Михаил Міша Миша Мишко Михась Michael Mykhailo Mikhail
Микита Никита Nikita Mykyta
Микола Николай Коля Миколка Nicholas Mykola Nikolai
Мирослав Мирко Слава Myroslav
Мирослава Мира Слава Myroslava
Надія Надежда Надя Nadia Nadiia
Назар Назарій Nazar
Наталія Наталья Наталя Наташа Ната Наталка Natalia Natasha Nataliia
Ніна Нина Nina
Оксана Ксюша Ксеня Оксанка Oksana
Олег Олежка Олежик Oleh Oleg
Олеся Леся Олеська Olesia
Ольга Оля Оленька Олька Olha Olga Олюня
Остап Ostap
Павло Павел Паша Павлик Павлусь Paul Pavlo
Петро Петр Пётр Петя Петрик Peter Petro
Поліна Полина Поля Polina
Роман Рома Ромчик Roman
Руслан Русік Руслик Ruslan
Руслана Руся Ruslana
Святослав Свят Слава Sviatoslav
Світлана Светлана Світа Света Svetlana Svitlana
Сергій Сергей Сергійко Серьога Серёжа Сережа Serhii Sergey Sergei
Соломія Соломия Соля Solomiia
Софія София Соня Софа Софійка Sophia Sofia
Станіслав Станислав Стас Stanislav Stas Слава
Степан Стьопа Стёпа Stepan Stephen
Тамара Тома Tamara
Тарас Тарасик Taras
Тетяна Татьяна Таня Танюша Tetiana Tatiana Tanya
Тимофій Тимофей Тимур Тіма Tymofii
Федір Фёдор Федор Федя Theodore Fedir
Христина Кристина Христя Крістіна Christina Khrystyna
Юлія Юлия Юля Юлька Julia Yulia Yuliia
Юрій Юрий Юра Юрко George Yurii
Яна Янка Yana
Ярослав Ярік Ярик Слава Славко Yaroslav
Ярослава Яся Слава Yaroslava
Аркадій Аркадий Аркаша
Арсен Арсеній Арсений Сеня
Божена
Гліб Глеб
Давид David
Данута
Єва Ева Eve
Евеліна Эвелина Еліна
Емілія Эмилия Міла
Емма Emma
Жанна Zhanna
Злата
Зіновій Зеник
Йосип Иосиф Йосиф Joseph
Ізольда
Леонтій Леон
Лев Лёва Льова Левко Leo
Любомир Любко
Макар Makar
Матвій Матвей Matthew
Меланія Мелания Меланка
Мілана Милана Міла
Орест Orest
Орися Ірина
Раїса Раиса Рая
Регіна Регина
Рената Renata
Роза Rosa
Роксолана Роксана
Семен Семён Сеня Simon
Сніжана Снежана
Стефанія Стефания Стефа
Тихін Тихон
Тимур Tymur
Уляна Ульяна Уля
Устина Устинья
Федора Дора
Юхим Ефим Єфим Фіма
Яків Яков Яша Jacob
Ярина Ірина
Єгор Егор Yehor Egor
Марта Martha Marta
Марат Marat
Мартин Martin
Адам Adam
Адріана Андріана Adriana
Алла Alla
Альберт Albert
Альбіна Альбина Albina
Аліса Алиса Alice Alisa
Амалія Амалия Amalia
Амелія Амелия Amelia
Ангеліна Ангелина Angelina
Анжела Angela
Анжеліка Анжелика Angelica
Аріна Арина Arina
Варвара Варя Barbara
Вероніка Вероника Ніка Veronica
Віолета Віолетта Виолетта Violetta
Всеволод Сева Vsevolod
Герман Herman
Гордій Гордей
Дем'ян Демьян Демян Damian
Домініка Доминика Dominika
Елеонора Элеонора Eleonora
Ельвіра Эльвира Elvira
Еріка Erika
Ерік Eric Erik
Ілона Илона Ilona
Ізабелла Изабелла Isabella
Кіра Кира Kira
Клим Klym
Лілея
Лука Luke
Лук'ян Лукьян
Майя Майа Maya
Мілена Милена Milena
Мирон Myron
Нестор Nestor
Неля Нелля Нелли Nelly
Платон Plato
Радослав Радик
Ростислав Рост Славик Rostyslav
Сава Савелій Савелий
Трохим Трофим
Філіп Филипп Пилип Philip
Фаїна Фаина
Юліан Юлиан Julian
Юліана Юлиана Juliana
Ян Jan
Ярема
"""


@cache
def table() -> dict[str, frozenset[int]]:
    """By a form's key: of which names it can be."""
    found: dict[str, frozenset[int]] = {}
    for place, line in enumerate(FORMS.strip().splitlines()):
        for form in line.split():
            name = word_key(form)
            found[name] = found.get(name, frozenset()) | {place}
    return found
