import json
from dataclasses import fields, replace
from pathlib import Path

import networks
import pytest

from mp3fix.errors import ModelError
from mp3fix.generator.contract import Contract

FULL = networks.contract(
    channels=2,
    noise=("spectrogram", "vector"),
    z_size=8,
    texture=True,
    conditioning=("error", "short"),
    multiple=4,
)
PATH = Path("some.onnx")


def changed(**values):
    return json.dumps(json.loads(FULL.to_json()) | values)


def changed_stft(**values):
    return changed(stft=json.loads(FULL.to_json())["stft"] | values)


def test_survives_json():
    assert Contract.from_json(FULL.to_json(), PATH) == FULL


@pytest.mark.parametrize("field", [field.name for field in fields(Contract)])
def test_each_field_is_required(field):
    values = json.loads(FULL.to_json())
    del values[field]
    with pytest.raises(ModelError, match=rf"^some\.onnx: contract field {field}: missing$"):
        Contract.from_json(json.dumps(values), PATH)


@pytest.mark.parametrize("field", [field.name for field in fields(Contract)])
def test_each_field_has_a_type(field):
    for wrong in (None, {"a": 1}):
        with pytest.raises(ModelError, match=rf"contract field {field}\b"):
            Contract.from_json(changed(**{field: wrong}), PATH)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", 7),
        ("version", "1\n2"),
        ("trained_on", "\x1b[2J"),
        ("licence", "x" * 5000),
        ("kind", "random"),
        ("kind", "deterministic"),
        ("domain", "mel"),
        ("channels", 3),
        ("channels", True),
        ("channels", 2.0),
        ("noise", "spectrogram"),
        ("noise", ["pink"]),
        ("noise", ["vector", "vector"]),
        ("noise", [["vector"]]),
        ("z_size", 0),
        ("z_size", 10**6),
        ("z_size", -1),
        ("texture", 1),
        ("default_texture", 1.5),
        ("default_texture", "0.5"),
        ("default_texture", True),
        ("conditioning", ["error", "error"]),
        ("conditioning", ["step"]),
        ("conditioning", [""]),
        ("unknown", float("nan")),
        ("unknown", float("inf")),
        ("unknown", 10**400),
        ("context", -1),
        ("context", 1.5),
        ("context", 10**9),
        ("multiple", 0),
        ("multiple", 10**9),
        ("precision", "bf16"),
    ],
)
def test_wrong_values_are_named(field, value):
    with pytest.raises(ModelError, match=rf"^some\.onnx: contract field {field}:") as caught:
        Contract.from_json(changed(**{field: value}), PATH)
    message = str(caught.value)
    assert len(message) < 200
    assert message.isprintable()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate", 0),
        ("n_fft", 10**12),
        ("n_fft", "2048"),
        ("hop", 0),
        ("hop", 256),  # as long as the window: gaps
        ("win_length", 512),  # longer than n_fft
        ("window", "blackman"),
        ("centred", 1),
    ],
)
def test_wrong_transforms_are_named(field, value):
    with pytest.raises(ModelError, match=rf"^some\.onnx: contract field stft.*({field}|window)"):
        Contract.from_json(changed_stft(**{field: value}), PATH)


def test_unknown_fields_are_refused():
    with pytest.raises(ModelError, match="contract field 'contxt': not known"):
        Contract.from_json(changed(contxt=3), PATH)
    with pytest.raises(ModelError, match=r"contract field stft\.'padding': not known"):
        Contract.from_json(changed_stft(padding=3), PATH)


@pytest.mark.parametrize("schema", [2, None, "1", True, 1.0])
def test_other_schemas_are_refused(schema):
    with pytest.raises(ModelError, match=r"contract field schema: .* another version"):
        Contract.from_json(changed(schema=schema), PATH)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[]", "null", '"a"', "1" * 10_000, "\0"])
def test_what_is_no_contract_is_refused(text):
    with pytest.raises(ModelError, match=r"^some\.onnx: the generator's contract is not"):
        Contract.from_json(text, PATH)


def test_fields_may_not_contradict_each_other():
    with pytest.raises(ValueError, match=r"^texture:"):
        replace(FULL, noise=("vector",))
    with pytest.raises(ValueError, match=r"^z_size:"):
        replace(FULL, noise=("spectrogram",))
    with pytest.raises(ValueError, match=r"^conditioning:"):
        replace(FULL, domain="waveform")
    with pytest.raises(ValueError, match=r"^kind:"):
        networks.contract(kind="stochastic")
    with pytest.raises(ValueError, match=r"^context:"):
        replace(FULL, context=10**6)
    assert replace(FULL, conditioning=(), domain="waveform", context=10**6).context == 10**6  # samples


def test_inputs_of_each_domain():
    both = ("spectrogram", "vector")
    complex_ = networks.contract(noise=both, z_size=3, texture=True, conditioning=("error", "dead"))
    assert complex_.inputs == {
        "x": (None, 2, 129, None),
        "noise": (None, 2, 129, None),
        "z": (None, 3),
        "texture": (1,),
        "conditioning": (None, 2, 129, None),
    }
    magnitude = networks.contract(domain="magnitude", channels=2, noise=("spectrogram",))
    assert magnitude.inputs == {"x": (None, 2, 129, None), "noise": (None, 4, 129, None)}
    waveform = networks.contract(domain="waveform", channels=2, noise=("spectrogram",))
    assert waveform.inputs == {"x": (None, 2, None), "noise": (None, 2, None)}
    assert networks.contract(channels=2).inputs == {"x": (None, 4, 129, None)}
    assert waveform.outputs == {"y": (None, 2, None)}
