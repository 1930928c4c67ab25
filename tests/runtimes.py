"""ONNX Runtime as it is on a machine with a GPU, played by the CPU."""

import os

from mp3fix.generator import session


class Runtime:
    """ONNX Runtime on a machine with a GPU, or whose GPU fails in one of the ways it can."""

    def __init__(self, outcome):
        self.outcome = outcome
        self.asked = []
        self.real = session.import_runtime()

    def __getattr__(self, name):
        return getattr(self.real, name)

    def preload_dlls(self):
        print("Failed to load libcublas")

    def get_available_providers(self):
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def InferenceSession(self, path, options, providers, enable_fallback):
        self.asked.append(providers)
        real = self.real.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        if len(providers) == 1:
            return real
        if self.outcome == "raises":
            raise RuntimeError(
                "/src/cuda_call.cc:129 CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; host=h"
            )
        if self.outcome == "silent":
            os.write(2, b"\x1b[31m2026 [E:onnxruntime] [ONNXRuntimeError] : 1 : FAIL : no libcudnn\x1b[m\n")
        if self.outcome == "works":
            real.get_providers = self.get_available_providers
        if self.outcome == "differs":
            exact = real.run
            real.get_providers = self.get_available_providers
            real.run = lambda *arguments: [1.02 * y for y in exact(*arguments)]
        if self.outcome == "runs out":
            real.get_providers = self.get_available_providers
            real.run = self.run_out
        return real

    def run_out(self, *_):
        raise RuntimeError(
            "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : CUDA failure 2: out of memory ; GPU=0"
        )


def install(monkeypatch, outcome):
    """Make this machine one with a GPU; `outcome` says how that ends."""
    runtime = Runtime(outcome)
    monkeypatch.setattr(session, "import_runtime", lambda: runtime)
    monkeypatch.setattr(session, "has_gpu", lambda: True)
    return runtime
