"""Forms in which vendors post mails: fields as bytes, because each may be in a charset of its own, and files."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from crm.connector import Delivery
from crm.errors import Malformed
from crm.shared import Attachment
from services.connectors.formats.bodies import URLENCODED, kind_of
from services.connectors.formats.exact_json import Tree, decode
from services.connectors.formats.multipart import Part, boundary_in, parts_of, plain_fields
from services.connectors.formats.urlencoded import pairs_in
from services.connectors.mails.mail import Mail, mail_of_headers
from services.connectors.mails.words import decoded, decoded_words


class Posted(NamedTuple):
    """A form: of several fields with one name the first. `charsets`: what is said of fields."""

    fields: dict[str, bytes]
    files: dict[str, Part]
    charsets: dict[str, str]

    def text(self, *names: str) -> str:
        """Returns the first of these fields that is not empty."""
        found = next((name for name in names if self.fields.get(name)), "")
        return decoded(self.fields[found], self.charsets.get(found, "")) if found else ""

    def json(self, name: str) -> object:
        """Returns what a field holds as JSON; None for a field without, and for one that is none."""
        try:
            return decode(self.fields[name]) if self.fields.get(name) else None
        except Malformed:
            return None

    def tree(self, name: str) -> Tree:
        found = self.json(name)
        return found if isinstance(found, dict) else {}

    def attached(self) -> tuple[Attachment, ...]:
        """Returns the files."""
        return tuple(
            Attachment("file", file_name(one), media(one), len(one.content), one.ref) for one in self.files.values()
        )


def posted(delivery: Delivery, charsets: str = "") -> Posted:
    """`charsets`: the field that says them, a JSON object by field. Raises Malformed for no form, and for one that was
    cut off."""
    kind, body = kind_of(delivery.content_type), delivery.body
    fields: dict[str, bytes] = {}
    files: dict[str, Part] = {}
    if kind.media == URLENCODED:
        for field, value in pairs_in(body):
            fields.setdefault(field.decode("utf-8", "replace"), value)
    elif boundary := boundary_in(body, kind.boundary):
        if b"\r\n" not in body:
            body = body.replace(b"\n", b"\r\n")  # written by hand
        plain = plain_fields(body, boundary)
        parts, cut = ([], False) if plain is not None else parts_of(body, boundary)
        if cut and kind.boundary:
            raise Malformed("The form was cut off on its way.")
        for part in parts:
            name = part.options.get(b"name", b"").decode("utf-8", "replace")
            if b"filename" in part.options:
                files.setdefault(name, part)
            else:
                fields.setdefault(name, bytes(part.content))
        for field, value in plain or ():
            fields.setdefault(field.decode("utf-8", "replace"), value)
    if not fields and not files:
        raise Malformed("The body is no form.")
    said = Posted(fields, files, {}).tree(charsets) if charsets else {}
    return Posted(fields, files, {name: value for name, value in said.items() if isinstance(value, str)})


def mail_of_form(
    form: Posted,
    headers: Mapping[str, str],
    text: str,
    html: str,
    content_ids: str,
    *,
    subject: str = "",
    stored: Iterable[Attachment] = (),
) -> Mail:
    """Returns a mail that a service took apart. `text` and `html`: the fields with them. `content_ids`: the one that
    says which files are pictures of the text. `subject`: where it is known better than from the headers. `stored`:
    files that the service kept."""
    names = {id.strip("<> "): name for id, name in form.tree(content_ids).items() if isinstance(name, str)}
    return mail_of_headers(
        headers,
        text=form.text(text),
        html=form.text(html),
        files=(*form.attached(), *stored),
        inline={id: form.files[name].ref for id, name in names.items() if name in form.files},
        **({"subject": subject} if subject else {}),
    )


def file_name(part: Part) -> str:
    return decoded_words(decoded(part.options.get(b"filename", b""), ""))


def media(part: Part) -> str:
    return part.media_type.partition(";")[0].strip()
