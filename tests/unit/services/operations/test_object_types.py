"""Files of `crm object define`: what is wrong is said before anything is changed."""

from pathlib import Path

import pytest

from crm.scalars import Id
from services.operations.object_types import command_of, read_types

SHOP = Id("11111111-1111-5111-8111-111111111111")


def written(folder: Path, text: str) -> Path:
    file = folder / "types.json"
    file.write_text(text)
    return file


def test_a_file_has_one_type_or_several(tmp_path: Path) -> None:
    assert read_types(written(tmp_path, '{"key": "seller"}')) == [{"key": "seller"}]
    assert len(read_types(written(tmp_path, '[{"key": "seller"}, {"key": "product"}]'))) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is no JSON: "),
        ("[]", "has no type: give an object with `key` and `fields`, or a list of them."),
        ('["seller"]', "has no type: give an object with `key` and `fields`, or a list of them."),
    ],
)
def test_a_file_without_types_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"types\.json") as refused:
        read_types(written(tmp_path, text))
    assert sentence in str(refused.value)


def test_a_type_with_something_that_no_type_has_is_refused() -> None:
    with pytest.raises(ValueError, match="A type has no colour; it has expected_version, fields, key"):
        command_of(SHOP, {"key": "seller", "colour": "red"})
    with pytest.raises(ValueError, match=r"The type 'seller': Object contains unknown field `labell`"):
        command_of(SHOP, {"key": "seller", "fields": [{"key": "a", "type": "text", "labell": "A"}]})
    with pytest.raises(ValueError, match=r"The type 'seller': Invalid enum value 'money'"):
        command_of(SHOP, {"key": "seller", "fields": [{"key": "a", "type": "money"}]})
