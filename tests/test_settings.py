"""Settings as people leave them: an empty line of `.env` sets nothing."""

from pathlib import Path

import pytest

from imprimatur.settings import Settings


@pytest.mark.parametrize("name", [field.alias for field in Settings.model_fields.values() if field.alias])
def test_an_empty_setting_is_an_unset_one(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(name, raising=False)
    unset = Settings()
    (tmp_path / ".env").write_text(f"{name}=\n", encoding="utf-8")
    assert Settings() == unset
    monkeypatch.setenv(name, "")
    assert Settings() == unset
