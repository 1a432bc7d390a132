"""Nothing private is in what is copied: secrets are planted, and looked for."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.core.diagnostics import Facts, gather, report, secrets_here
from scumble.core.logbook import LogBook, last_lines
from scumble.core.private import Secrets, without
from scumble.core.state import CoreState
from scumble_bridge.messages import Described

HOME = "/home/erika"
TOKEN = "0f" * 32
JOB = "12345678-9abc-def0-1234-56789abcdef0"
PROMPT = "portrait of Aunt Mathilda, wearing a red hat"
SECRETS = Secrets(HOME, ("erika", "wolkenheim"), (PROMPT, "ugly frame", "/mnt/big disk/Mathilda at home.kra"))
LINES = (
    f"The source of /mnt/big disk/Mathilda at home.kra was sent by erika on wolkenheim with {TOKEN}",
    f"FileNotFoundError: '{HOME}/Pictures/Secret Client/cover v2.png' is missing",
    f'File "{HOME}/.local/share/krita/pykrita/scumble/runs/run.py", line 3, in take',
    f"request: {{'prompt': '{PROMPT}', 'negative_prompt': 'ugly  frame', 'base': '{HOME}/my-own-style.safetensors'}}",
    f"Job {JOB} and {JOB.replace('-', '')}: wearing a red hat",
    r"C:\Users\erika\Desktop\cover.psd and \\wolkenheim\share\client.kra and file:///srv/work/client-x",
    "mail erika.muster@wolkenheim.example, host wolkenheim.local, folder (/var/data/clients/acme)",
)
PLANTED = (
    "erika", "wolkenheim", "Mathilda", "red hat", "ugly", TOKEN, JOB, JOB.replace("-", ""), "Secret", "Client", "cover",
    "my-own-style", "acme", "client-x", "muster", "Pictures", "big disk",
)  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_no_planted_secret_is_left(line):
    text = without(line, SECRETS)
    assert [secret for secret in PLANTED if secret.lower() in text.lower()] == []


def test_what_helps_is_left():
    text = without("\n".join(LINES), SECRETS)
    assert 'scumble/runs/run.py", line 3, in take' in text
    assert "FileNotFoundError" in text
    assert "~" in without(f"{HOME} is full", SECRETS)
    assert without("Scumble 0.1.0 on NVIDIA RTX 4090, 24.0 GB: code 70 and/or tile 3/12", SECRETS) == (
        "Scumble 0.1.0 on NVIDIA RTX 4090, 24.0 GB: code 70 and/or tile 3/12"
    )


signs = st.characters(categories=("L", "N", "P", "Zs"), exclude_characters="<>~")
prompts = st.text(signs, min_size=3, max_size=30).filter(lambda text: len(text.strip(" ,;")) >= 3)


@given(prompts, st.text(max_size=20))
def test_no_prompt_is_left_whatever_it_is(prompt, around):
    text = without(f"{around}«{prompt.strip()}»", Secrets(words=(prompt,)))
    assert f"«{prompt.strip()}»" not in text


def test_the_report_has_versions_device_and_both_logs_and_no_secret(qapp, tmp_path, monkeypatch):
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path / "erika"))
    monkeypatch.setenv("HOME", HOME)
    monkeypatch.setenv("LOGNAME", "erika")
    monkeypatch.setenv("USERNAME", "wolkenheim")
    (tmp_path / "erika" / "logs").mkdir(parents=True)
    (tmp_path / "erika" / "logs" / "core.log").write_text("\n".join([f"line {n}" for n in range(300)] + list(LINES)))
    log = LogBook()
    logging.getLogger("scumble.panel").warning("%s", LINES[0])
    log.close()
    logging.getLogger("scumble.panel").warning("too late")
    state = CoreState("connected", "", Described("CPU (8 threads)", "0.2.0", (), (), (), 16_000_000_000, 5_000_000_000))
    text = report(gather("Krita 5.2.9", state, log.lines), secrets_here(SECRETS.words))
    for part in ("Krita 5.2.9", "CPU (8 threads)", "0.2.0", "5.0 GB free of 16.0 GB", "line 299", "The source of"):
        assert part in text
    assert "line 3\n" not in text  # the last hundred lines are enough
    assert "too late" not in text
    assert [secret for secret in PLANTED if secret.lower() in text.lower()] == []


def test_logs_that_are_not_there_are_no_lines(tmp_path):
    assert last_lines(tmp_path / "none.log") == ()
    facts = Facts("Krita", "1", "6", "3", "Linux", CoreState("failed", "It did not start."), (), ())
    assert "It did not start." in report(facts, Secrets())
