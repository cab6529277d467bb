"""Which files can be fetched, and whether what came is what was announced."""

from types import SimpleNamespace

import pytest

from crm.attachments import ANY, attachments_of, is_web_address, media_type_of, wrong_type
from crm.shared import Attachment

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 40
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1" + b"\0" * 40
PDF = b"%PDF-1.7\n1 0 obj"
MP3 = b"ID3\x04\0\0\0\0\0\0" + b"\xff\xfb\x90" * 20
OGG = b"OggS\0\2" + b"\0" * 22 + b"\1\x13OpusHead"
MP4 = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + b"\0" * 20
HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<?xml version="1.0"?><svg onload="alert(1)" xmlns="http://www.w3.org/2000/svg"/>'
EXE, TEXT = b"MZ\x90\0" + b"\0" * 60, "Привіт".encode()


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(PNG, "image/png"), (JPEG, "image/jpeg"), (PDF, "application/pdf"), (MP3, "audio/mpeg"), (OGG, "audio/ogg"),
     (MP4, "video/mp4"), (HTML, ANY), (SVG, ANY), (EXE, ANY), (TEXT, ANY), (b"", ANY)],
)  # fmt: skip
def test_the_type_is_that_of_the_content_and_none_that_a_browser_runs(content: bytes, media_type: str) -> None:
    assert media_type_of(content) == media_type


@pytest.mark.parametrize(
    ("announced", "content"),
    [
        (Attachment("photo"), JPEG),
        (Attachment("photo", media_type="image/jpeg"), PNG),
        (Attachment("voice"), OGG),
        (Attachment("voice", media_type="audio/ogg"), MP4),
        (Attachment("video"), MP4),
        (Attachment("recording"), MP3),
        (Attachment("document", media_type="application/pdf"), TEXT),
        (Attachment("file", "page.html", "text/html"), HTML),
        (Attachment("file", "invoice.xml", "application/xml"), SVG),
        (Attachment("file", "drawing.svg"), SVG),
        (Attachment("file"), EXE),
    ],
)
def test_what_may_be_the_announced_file_is_stored(announced: Attachment, content: bytes) -> None:
    assert wrong_type(announced, content) == ""


@pytest.mark.parametrize(
    ("announced", "content", "why"),
    [
        (Attachment("photo"), HTML, "It is announced as photo and is a web page or a text."),
        (Attachment("", media_type="image/png"), EXE, "It is announced as image/png and is application/x-msdownload."),
        (Attachment("photo"), MP3, "It is announced as photo and is audio/mpeg."),
        (Attachment("recording"), b'{"error": "expired"}', "It is announced as recording and is a web page or a text."),
        (Attachment("voice"), b"", "It is announced as voice and is a web page or a text."),
        (Attachment("document", media_type="application/pdf"), HTML, "It is a web page and not the file."),
        (Attachment("file", "price.xlsx"), b"\xef\xbb\xbf\n <HTML><body>Log in", "It is a web page and not the file."),
    ],
)  # fmt: skip
def test_what_cannot_be_it_says_so(announced: Attachment, content: bytes, why: str) -> None:
    assert wrong_type(announced, content) == why


def test_what_has_a_reference_is_fetched() -> None:
    files = (Attachment("photo", ref="HTTPS://cdn.example.com/1"), Attachment("photo", ref="AgACAgIAAx"))
    assert list(attachments_of(SimpleNamespace(attachments=(*files, Attachment("photo")), files=None))) == [*files]
    call = SimpleNamespace(recording="http://calls.example.com/1.mp3")
    assert list(attachments_of(call)) == [Attachment("recording", ref="http://calls.example.com/1.mp3")]
    others = ("", "file:///etc/passwd", "ftp://a/b", "javascript:alert(1)", "sha256:00", "AgACAgIAAx")
    assert not any(map(is_web_address, others)) and is_web_address(files[0].ref)
