"""The rules to try, from a JSON file: assignment rules, the pipeline's stages and stage rules."""

from pathlib import Path

import msgspec

from crm.whatif import Rules, wrong_in


def read_rules(file: Path, effect: str = "Nothing was tried.") -> Rules:
    """Returns the rules of a file. Raises ValueError with what is wrong in it; `effect` ends the sentence."""
    try:
        rules = msgspec.json.decode(file.read_bytes(), type=Rules)
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}. {effect}") from None
    except msgspec.DecodeError as error:
        raise ValueError(
            f"{file} is not a file of rules: {error}. See docs/whatif.md for an example. {effect}"
        ) from None
    if rules == Rules():
        raise ValueError(f"{file} changes nothing: give `rules`, `stages` or `stage_rules`. {effect}")
    if wrong := wrong_in(rules):
        raise ValueError(f"{wrong} {effect}")
    return rules
