"""Dagster's pages and daemon over the demonstration's home, on this machine only."""

import os
import subprocess
import sys
from pathlib import Path

from assayhouse.errors import HomeError
from dagster_project import demo
from dagster_project.folder import instance_of
from dagster_project.resources import HOME_VARIABLE, STUDY_VARIABLE, study_from_environment

HOST, PORT = "127.0.0.1", "3000"
MODULE = "dagster_project.definitions"


def command(tool: str, *options: str) -> list[str]:
    """Command line of one of Dagster's programs for our definitions."""
    program = str(Path(sys.executable).with_name(tool))
    return [program, *options, "-m", MODULE]


def server(*, port: str = PORT, read_only: bool = False) -> list[str]:
    """Command line of the web server."""
    options = ["-h", HOST, "-p", port, *(["--read-only"] if read_only else [])]
    return command("dagster-webserver", *options)


def main() -> int:
    """Serve until stopped; returns the web server's exit code."""
    try:
        home = study_from_environment().home
    except HomeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    os.environ[HOME_VARIABLE] = str(home.root)
    if not home.publication_file.is_file() and STUDY_VARIABLE not in os.environ:
        demo.main()
    with instance_of(home):  # its files are made before two programs open them
        pass
    sys.stdout.write(f"http://{HOST}:{PORT}\n")
    daemon = subprocess.Popen(command("dagster-daemon", "run"))  # noqa: S603 - our own command line
    try:
        return subprocess.call(server())  # noqa: S603 - our own command line
    except KeyboardInterrupt:
        return 0
    finally:
        daemon.terminate()
        daemon.wait(timeout=30)


if __name__ == "__main__":
    sys.exit(main())
