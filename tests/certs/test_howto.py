import shutil
import subprocess
from pathlib import Path

import pytest

from certs.authority import Authority
from certs.howto import howtos


def steps(client: str, ca_file: Path) -> str:
    return next(each.steps for each in howtos(ca_file) if each.client.startswith(client))


def test_every_client_is_told_about_the_real_file(tmp_path: Path) -> None:
    ca_file = tmp_path / "with space {and} braces" / "ca.pem"
    clients = {each.client.split()[0].rstrip(",") for each in howtos(ca_file)}
    assert {"Thunderbird", "Apple", "Outlook", "Android", "Java", "OpenSSL-based", "mutt", "mbsync"} <= clients
    for each in howtos(ca_file):
        # Phones get an exported copy.
        assert str(ca_file) in each.steps or "imaptap ca export" in each.steps


def test_the_path_is_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert str(tmp_path / "ca.pem") in steps("mbsync", Path("ca.pem"))


def test_the_command_for_java_works(authority: Authority, tmp_path: Path) -> None:
    if shutil.which("keytool") is None:
        pytest.skip("keytool is not here")
    command = steps("Java", authority.certificate_file).splitlines()[0]
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True, capture_output=True)
    listed = subprocess.run(
        ["keytool", "-list", "-keystore", "imaptap.p12", "-storepass", "changeit", "-alias", "imaptap"],
        cwd=tmp_path, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert authority.fingerprint in listed.stdout
