"""Prints the schema: `python -m api.sdl > schema.graphql`; a test compares them."""

from api.schema.root import schema


def sdl() -> str:
    return schema.as_str().strip() + "\n"


if __name__ == "__main__":
    print(sdl(), end="")
