import subprocess
import sys

import networks
import pytest

from mp3fix.errors import ModelError
from mp3fix.generator import catalog


@pytest.fixture
def bundled(tmp_path, monkeypatch):
    (tmp_path / "models" / "literature").mkdir(parents=True)
    for name in ("air", "music", "literature/liu"):
        networks.save(tmp_path / "models" / f"{name}.onnx", name=name.upper())
    monkeypatch.setattr(catalog, "directory", lambda: tmp_path / "models")
    return tmp_path / "models"


def test_lists_the_default_first(bundled):
    listed = catalog.list_models()
    assert [(name, contract.name) for name, _, contract in listed] == [
        ("music", "MUSIC"),
        ("air", "AIR"),
        ("literature/liu", "LITERATURE/LIU"),
    ]
    assert all(path.is_file() for _, path, _ in listed)


def test_finds_names_and_paths(bundled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "music").mkdir()  # a folder of the user's does not hide a name
    assert catalog.find("music") == bundled / "music.onnx"
    assert catalog.find("literature/liu") == bundled / "literature" / "liu.onnx"
    assert catalog.find("liu") == bundled / "literature" / "liu.onnx"
    assert str(catalog.find("models/air.onnx")) == "models/air.onnx"
    networks.save(tmp_path / "MINE.ONNX")
    assert str(catalog.find("MINE.ONNX")) == "MINE.ONNX"
    networks.save(tmp_path / "music" / "mine")
    assert catalog.find(tmp_path / "music" / "mine") == tmp_path / "music" / "mine"


def test_what_is_a_name_and_what_is_a_path(bundled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("music", "literature", "liu", "mine"):  # whatever lies about
        (tmp_path / folder).mkdir(exist_ok=True)
    assert all(map(catalog.is_name, ("music", "literature/liu", "liu")))
    assert not any(map(catalog.is_name, ("music.onnx", "models/air.onnx", "./music", "mine", "literature")))


def test_a_name_at_the_top_comes_before_one_in_a_folder(bundled):
    networks.save(bundled / "literature" / "air.onnx")
    assert catalog.find("air") == bundled / "air.onnx"
    assert catalog.find("literature/air") == bundled / "literature" / "air.onnx"


def test_a_name_in_two_folders_is_none(bundled):
    (bundled / "other").mkdir()
    networks.save(bundled / "other" / "liu.onnx")
    with pytest.raises(ModelError, match="literature/liu, other/liu"):
        catalog.find("liu")


@pytest.mark.parametrize(
    "name", ["musik", "", "../models/music", "literature", "no/where", "a\x1b[2J", "x" * 9999]
)
def test_unknown_names_list_the_known(bundled, name):
    with pytest.raises(ModelError, match="there are: music, air, literature/liu") as caught:
        catalog.find(name)
    assert "\x1b" not in str(caught.value)


def test_a_missing_file_is_named(bundled):
    with pytest.raises(ModelError, match=r"^here/it\.onnx: no such generator"):
        catalog.find("here/it.onnx")


def test_an_empty_catalogue_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(catalog, "directory", lambda: tmp_path / "nowhere")
    assert catalog.list_models() == []
    with pytest.raises(ModelError, match="there are: none"):
        catalog.find("music")


def test_the_bundled_files_are_beside_or_inside_the_package(tmp_path, monkeypatch):
    package = tmp_path / "mp3fix"
    monkeypatch.setattr(catalog, "_PACKAGE", package)
    assert catalog.directory() == tmp_path / "models"
    (package / "models").mkdir(parents=True)
    assert catalog.directory() == package / "models"


def test_listing_loads_no_runtime():
    code = (
        "import sys; from mp3fix.generator import catalog; catalog.list_models();"
        "sys.exit('onnxruntime' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
