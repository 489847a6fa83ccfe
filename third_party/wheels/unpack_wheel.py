"""Checks a downloaded wheel against its sha256 and unpacks some of its files here."""

import argparse
import fnmatch
import hashlib
import pathlib
import sys
import zipfile


def sha256_of(path):
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=pathlib.Path, required=True, help="folder with one wheel")
    parser.add_argument("--sha256", required=True)
    parser.add_argument("--include", action="append", default=[])
    parser.add_argument("--exclude", action="append", default=[])
    args = parser.parse_args()

    (wheel,) = args.wheel.glob("*.whl")
    found = sha256_of(wheel)
    if found != args.sha256:
        sys.exit(f"{wheel.name}: sha256 is {found}, expected {args.sha256}")

    def matches(name, patterns):
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

    with zipfile.ZipFile(wheel) as archive:
        names = [
            name
            for name in archive.namelist()
            if matches(name, args.include) and not matches(name, args.exclude)
        ]
        if not names:
            sys.exit(f"{wheel.name}: no file matches {args.include}")
        archive.extractall(members=names)


if __name__ == "__main__":
    main()
