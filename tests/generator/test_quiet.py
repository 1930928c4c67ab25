import os
import sys

import pytest

from mp3fix.generator.quiet import quiet


def test_swallows_prints_and_what_c_writes(capfd):
    with quiet() as said:
        print("from Python")
        os.write(2, b"from C++ \xff")
    print("after", file=sys.stdout)
    os.write(2, b"after")
    assert said == ["from C++ \ufffd"]
    assert capfd.readouterr() == ("after\n", "after")


def test_restores_after_an_error(capfd):
    with pytest.raises(RuntimeError), quiet():
        raise RuntimeError
    os.write(2, b"heard")
    print("heard")
    assert capfd.readouterr() == ("heard\n", "heard")


def test_leaves_standard_output_to_others(capfd):
    with quiet():
        os.write(1, b"audio")
    assert capfd.readouterr().out == "audio"


def test_works_without_standard_error():
    saved = os.dup(2)
    os.close(2)
    try:
        with quiet() as said:
            pass
    finally:
        os.dup2(saved, 2)
        os.close(saved)
    assert said == []
