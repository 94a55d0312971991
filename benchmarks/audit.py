"""What can be said of the dependencies without a network: ``python -m benchmarks.audit``.

Whether they fit each other (``pip check``), and whether every installed file is the one that its package's RECORD
names by SHA-256. Advisories are not known here; ``pip-audit`` asks for them.
"""

import base64
import hashlib
import subprocess
import sys
from importlib.metadata import Distribution, distributions, requires

from packaging.requirements import Requirement


def _wanted() -> set[str]:
    """simbgp's own dependencies with theirs, extras included, as far as they are installed."""
    installed = {_canonical(found.metadata["Name"]) for found in distributions()}
    left, seen = ["simbgp"], set[str]()
    while left:
        name = left.pop()
        for text in requires(name) or ():
            needed = _canonical(Requirement(text).name)
            if needed in installed and needed not in seen:
                seen.add(needed)
                left.append(needed)
    return seen


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _changed(package: Distribution) -> tuple[int, list[str]]:
    """How many files were compared, and which are not as recorded."""
    wrong, checked = [], 0
    for file in package.files or ():
        if file.hash is None or file.hash.mode != "sha256":
            continue
        checked += 1
        path = package.locate_file(file)
        try:
            digest = hashlib.sha256(open(str(path), "rb").read()).digest()  # noqa: SIM115
        except OSError:
            wrong.append(f"{file} is missing")
            continue
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value:
            wrong.append(f"{file} was changed")
    return checked, wrong


def main() -> int:
    """Print what was checked and what was found; 1 if anything was."""
    fits = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    print(f"pip check: {fits.stdout.strip() or fits.stderr.strip()}")
    wanted, files, wrong = _wanted(), 0, list[str]()
    for package in distributions():
        if _canonical(package.metadata["Name"]) in wanted:
            checked, found = _changed(package)
            files += checked
            wrong += [f"{package.metadata['Name']}: {each}" for each in found]
    print(f"RECORD: {files} files of {len(wanted)} packages compared, {len(wrong)} not as recorded")
    for each in wrong:
        print(f"  {each}")
    print("advisories: not checked, for that needs a network; pip-audit does")
    return int(bool(wrong) or fits.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
