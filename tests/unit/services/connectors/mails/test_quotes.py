"""What is new in a mail stands apart from what it quotes: the sample replies, and those of usual programs."""

import pytest

from services.connectors.mails.quotes import without_quotes
from services.connectors.mails.safe_html import sanitised, texts_of
from tests.support.needs import needs_samples
from tests.support.vendor_samples import FOLDER

REPLIES = FOLDER / "email-replies"
# Nothing is quoted in them.
WHOLE = ["email_1_1", "email_1_5", "email_sent_from_my_not_signature", "email_sig_delimiter_in_middle_of_line"]
REMOTE = (
    "On your remote host you can run:\n\n     telnet 127.0.0.1 52698\n\nThis should connect to TextMate (on your Mac, "
    "via the tunnel). If that{}\nfails, the tunnel is not working."
)
NEW = {
    "correct_sig": "this is an email with a correct -- signature.",
    "email_1_4": "Awesome! I haven't had another problem with it.",
    "email_1_6": "I get proper rendering as well.\n\nSent from a magnificent torch of pixels",
    "email_1_7": ":+1:",
    "email_1_8": "I will reply under this one\n\n\nand under this.",
    "email_2_1": "Outlook with a reply",
    "email_2_2": "Outlook with a reply directly above line",
    "email_2_3": "Outlook with a reply above headers using unusual format",
    "email_BlackBerry": "Here is another email",
    "email_gmail": "This is a test for inbox replying to a github message.",
    "email_headers_no_delimiter": "And another reply!",
    "email_iPhone": "Here is another email",
    "email_multi_word_sent_from_my_mobile_device": "Here is another email",
    "email_one_is_not_on": "Thank, this is really helpful.\n\nOne outstanding question I had:\n\n"
    "Locally (on development), when I run...",
    "email_partial_quote_header": REMOTE.format(" "),
    "greedy_on": REMOTE.format(""),
    "pathological": "I think you're onto something. I will try to fix the problem as soon as I\n"
    "get back to a computer.",
}
FROM_TO = {  # the first and the last words that are new, of long ones
    "email_1_2": ("Hi,\n\nYou can list the keys", "riak-users_lists.basho.com"),
    "email_1_3": ("Oh thanks.", "riak-users_lists.basho.com"),
    "email_bullets": ("test 2 this should list second", "   - and another"),
}


@needs_samples
def test_every_sample_reply_is_without_what_it_quotes() -> None:
    files = {file.stem: file.read_text("utf-8") for file in REPLIES.glob("*.txt")}
    assert files.keys() == {*WHOLE, *NEW, *FROM_TO}
    for name, text in files.items():
        new, rest = without_quotes(text)
        assert not any(line.startswith(">") for line in new.splitlines()), name
        if name in FROM_TO:
            first, last = FROM_TO[name]
            assert new.startswith(first), name
            assert new.endswith(last), name
            assert rest, name
        else:
            assert new == NEW.get(name, text.strip()), name
        assert lines(f"{new}\n{rest}") == lines(text), name  # nothing is lost: every line is in one of the two


def lines(text: str) -> list[str]:
    return sorted(filter(None, map(str.strip, text.split("\n"))))


QUOTED = "> Столи є.\n> Беремо?"


@pytest.mark.parametrize(
    "head",
    [
        "пн, 5 жовт. 2026 р. о 13:00 Крамниця <shop@example.com> пише:",
        "пн, 5 окт. 2026 г. в 13:00, Крамница <shop@example.com>:",
        "Понедельник, 5 октября 2026, 13:00 +03:00 от Крамница <shop@example.com>:",
        '5 жовтня 2026, 13:00:00, від "Крамниця" <shop@example.com>:',
        "05.10.2026 13:00, Крамниця пише:",
        "On Mon, Oct 5, 2026 at 1:00 PM Shop <shop@example.com> wrote:",
        "On Mon, Oct 5, 2026 at 1:00 PM A Shop With A Very Long Name\n<shop@example.com> wrote:",
        "Am 05.10.26 um 13:00 schrieb Laden:",
        "W dniu 05.10.2026 o 13:00, Sklep pisze:",
        "From: Shop <shop@example.com>\nSent: Monday, October 5, 2026 1:00 PM\nTo: Olena\nSubject: Tables\n",
        "____________\nВід: Крамниця <shop@example.com>\nНадіслано: 5 жовтня\nКому: Олена\nТема: Стіл\n",
        "-----Original Message-----\nFrom: Shop\nSent: Monday\nTo: Olena\nSubject: Tables\n",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_quotes_of_usual_programs(head: str, end: str) -> None:
    text = f"Так, беремо.\n\n{head}\n{QUOTED}\n".replace("\n", end)
    new, rest = without_quotes(text)
    assert new == "Так, беремо."
    assert rest.endswith("> Беремо?")


@pytest.mark.parametrize(
    "text",
    [
        "Дивіться.\n\n---------- Forwarded message ---------\nFrom: Maria\nDate: x\nSubject: y\nTo: z\n\nТри столи",
        "Від: Іван\nКому: Крамниця\nТема: Замовлення\nДата: 5\n\nТри столи",
        "> усе тут цитата\n> і нічого нового",
        "Ім'я: Іван\nТелефон: 067 000 00 01\nКоментар: On time?",
        "-- \nлише підпис",
        "Один рядок",
    ],
)
def test_nothing_is_taken_from_what_is_said(text: str) -> None:
    assert without_quotes(text) == (text.strip(), "")


def test_the_text_of_html_without_its_quote() -> None:
    gmail = (
        '<div dir="ltr">Беру!<br>Дякую</div><br><div class="gmail_quote"><div class="gmail_attr">вт</div>Столи</div>'
    )
    assert texts_of(gmail) == ("Беру!\nДякую", "вт\nСтоли")
    outlook = '<p>Yes</p><hr><div id="divRplyFwdMsg">From: Shop</div><div>Tables</div>'
    assert texts_of(outlook) == ("Yes", "From: Shop\n\nTables")
    assert texts_of("<style>p{}</style><p>a&nbsp;&lt;b&gt;</p><script>x</script>") == ("a <b>", "")
    assert texts_of('<blockquote type="cite">all is quoted</blockquote>') == ("all is quoted", "")


@pytest.mark.parametrize(
    ("html", "safe"),
    [
        ("<script>alert(1)</script>a", "a"),
        ('<p onclick="x()" style="position:fixed">a</p>', "<p>a</p>"),
        ('<img src="http://example.org/pixel.gif">', "<img>"),
        ('<img src="cid:other">', "<img>"),
        ('<img src="CID:p1" alt="x">', '<img src="sha256:1" alt="x">'),
        ('<a href="cid:p1">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="javascript:x()">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<iframe src="https://example.org"></iframe><svg onload=x><form action=x><input></form>', ""),
        ('<blockquote cite="http://example.org">q</blockquote>', "<blockquote>q</blockquote>"),
        ("<table background=http://example.org/x><tr><td>a", "<table><tbody><tr><td>a</td></tr></tbody></table>"),
        ("<p>" + "x" * 200_000, ""),
    ],
)
def test_html_is_safe_to_show(html: str, safe: str) -> None:
    assert sanitised(html, {"p1": "sha256:1"}) == safe
