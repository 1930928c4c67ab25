"""A generator ready to run: the only module of inference that imports ONNX Runtime."""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from mp3fix.errors import DeviceError, ModelError
from mp3fix.generator import onnx_file
from mp3fix.generator.arena import limit_memory
from mp3fix.generator.catalog import DEFAULT, find
from mp3fix.generator.contract import Contract, Dims, contract_of
from mp3fix.generator.devices import available_cores, has_gpu, parse_device
from mp3fix.generator.quiet import quiet

_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_ERROR, _FATAL = 3, 4  # log severities
_MOST_FOLDED = str(2**22)  # bytes a node
_DTYPES: dict[str, np.dtype[Any]] = {
    "tensor(float)": np.dtype(np.float32),
    "tensor(float16)": np.dtype(np.float16),
}


class Generator:
    """An .onnx file with its contract, loaded on a device. Not picklable: one for each process.

    Attributes:
        path: the file.
        contract: what it is and takes.
        device: where it runs, "cpu" or "cuda:0".
    """

    def __init__(self, path: Path, contract: Contract, session: Any, device: str) -> None:
        self.path = path
        self.contract = contract
        self.device = device
        self._session = session
        self._dtypes = {node.name: _DTYPES[node.type] for node in session.get_inputs()}

    @classmethod
    def load(
        cls,
        name_or_path: str | Path = DEFAULT,
        device: str = "auto",
        threads: int | None = None,
        fast: bool = False,
    ) -> "Generator":
        """Load a bundled generator by name, or any by its path.

        Args:
            name_or_path: see catalog.find.
            device: "auto" (the GPU if it can be used, else the CPU), "cpu", "cuda" or "cuda:N".
            threads: CPU threads; None: one for each core this process may use. Threads and batch change the
                result by rounding at most, and by no bit while a thread has more than 64 frames and the graph
                has no Softplus, Log, Elu, Selu, Celu, Mish or Atan in single precision, nor sums or means over
                another axis than the last: those ONNX Runtime rounds by how it splits the work (measured
                with 1.31).
            fast: a GPU may round what it multiplies to 10 bits (TF32). Neither the CPU's result nor exact
                seams are promised then. Nothing changes on a CPU.

        Raises:
            ModelError: when there is no such generator, or its file is damaged, breaks its contract or is not
                safe to load (onnx_file.refuse_unsafe).
            DeviceError: when the device asked for cannot be used.
            ValueError: when threads is less than 1.
        """
        if threads is not None and threads < 1:
            raise ValueError(f"threads: {threads} is less than 1")
        kind, index = parse_device(device)
        path = find(name_or_path)
        data = onnx_file.open_model(path)
        contract = contract_of(data, path)
        onnx_file.refuse_unsafe(data, path)
        runtime = import_runtime()
        session, device = _create(runtime, path, kind, index, threads or available_cores(), fast)
        try:
            _check_graph(session, contract, path)
        except UnicodeDecodeError:
            raise ModelError(f"{path}: its graph has names that are not text") from None
        return cls(path, contract, session, device)

    def run(
        self,
        x: np.ndarray,
        noise: np.ndarray | None = None,
        z: np.ndarray | None = None,
        texture: float | None = None,
        conditioning: np.ndarray | None = None,
    ) -> np.ndarray:
        """Run the network once.

        Shape:
            x, noise, z, conditioning: float32, as Contract.inputs says.
            texture: None takes the contract's default.
            conditioning: None means that nothing is known.
            returns: float32, the shape of x.

        Raises:
            ValueError: when an input is missing, not taken by this generator, or of another shape.
            ModelError: when the network fails, or gives something else than its contract promises.
            DeviceError: when it fails on the GPU.
        """
        contract = self.contract
        if texture is None and contract.texture:
            texture = contract.default_texture
        if conditioning is None and contract.conditioning:
            shape = (x.shape[0], contract.channels * len(contract.conditioning), *x.shape[2:])
            conditioning = np.full(shape, contract.unknown, np.float32)
        scale = None if texture is None else np.array([texture])
        given: dict[str, np.ndarray | None] = {
            "x": x,
            "noise": noise,
            "z": z,
            "texture": scale,
            "conditioning": conditioning,
        }
        feed = {name: value for name, value in given.items() if value is not None}
        self._check_feed(feed)
        try:
            (y,) = self._session.run(
                ["y"], {name: np.ascontiguousarray(v, self._dtypes[name]) for name, v in feed.items()}
            )
        except Exception as error:
            kind = ModelError if self.device == "cpu" else DeviceError
            raise kind(f"{self.path}: failed on {self.device}: {_short(error)}") from None
        if y.shape != x.shape:
            raise ModelError(f"{self.path}: gave an output of shape {y.shape} for an input of {x.shape}")
        if not np.isfinite(y).all():
            raise ModelError(f"{self.path}: gave values that are no finite numbers")
        return y.astype(np.float32, copy=False)

    def _check_feed(self, feed: dict[str, np.ndarray]) -> None:
        inputs = self.contract.inputs
        if feed.keys() != inputs.keys():
            raise ValueError(f"this generator takes {', '.join(inputs)}, but was given {', '.join(feed)}")
        for name, value in feed.items():
            if not _fits(value.shape, inputs[name]):
                raise ValueError(
                    f"{name}: shape {value.shape}, but this generator takes {_dims(inputs[name])}"
                )


def import_runtime() -> Any:
    """ONNX Runtime, silent and telling nobody. Whoever imports a part of it calls this first."""
    # From 1.29 on, ONNX Runtime's own builds report every session to Microsoft, and write to ~/.cache, unless
    # this is set before the import. Nobody who restores a song expects that.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    with quiet():  # some machines' display devices make it warn while it is imported
        import onnxruntime

        onnxruntime.set_default_logger_severity(_FATAL)
        onnxruntime.disable_telemetry_events()  # the switch on Windows
    return onnxruntime


def _create(runtime: Any, path: Path, kind: str, index: int, threads: int, fast: bool) -> tuple[Any, str]:
    """A session and the device it really runs on."""
    session, reason = None, "this ONNX Runtime is built without CUDA"
    built = _CUDA in runtime.get_available_providers()  # says nothing about this machine
    if built and (kind == "cuda" or (kind == "auto" and has_gpu())):
        session, reason = _create_on_cuda(runtime, path, index, threads, fast)
    if session is None:
        try:
            session = runtime.InferenceSession(
                path, _options(runtime, threads), providers=[_CPU], enable_fallback=0
            )
        except Exception as error:
            raise ModelError(f"{path}: ONNX Runtime cannot load it: {_short(error)}") from None
    if _CUDA in session.get_providers():
        return session, f"cuda:{index}"
    if kind == "cuda":
        found = "" if has_gpu() else "No NVIDIA driver with a GPU was found. "
        raise DeviceError(
            f"cuda:{index}: cannot use the GPU: {_short(reason)}\n"
            f"{found}It takes the driver and pip install 'mp3fix[cuda]'; --device cpu takes neither."
        )
    return session, "cpu"


def _create_on_cuda(runtime: Any, path: Path, index: int, threads: int, fast: bool) -> tuple[Any, str]:
    """A session, or None, and what ONNX Runtime said meanwhile. Even so, it may run on the CPU."""
    cuda = {
        "device_id": index,
        "use_tf32": int(fast),  # its 10 bits of mantissa break the seams' 1e-5
        # The default times every algorithm for each new length, and its choice varies from run to run.
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
    }
    session, failure = None, ""
    with quiet() as said:
        try:
            runtime.preload_dlls()  # finds the libraries of the extra [cuda]
            runtime.set_default_logger_severity(_ERROR)
            session = runtime.InferenceSession(
                path, _options(runtime, threads, _ERROR), providers=[(_CUDA, cuda), _CPU], enable_fallback=0
            )
        except Exception as error:
            failure = str(error)
        runtime.set_default_logger_severity(_FATAL)
    return session, failure or "".join(said)


def _options(runtime: Any, threads: int, severity: int = _FATAL) -> Any:
    options = runtime.SessionOptions()
    options.log_severity_level = severity
    options.add_session_config_entry("session.load_model_format", "ONNX")  # never what was not checked
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin while they wait take the cores from decoding and STFTs, which run meanwhile: measured
    # on two cores, a tenth slower in all, and a fifth more CPU time even where nothing else runs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A memory pattern is kept for every input length. Measured with 3.4 M parameters and 4 x 560 frames, peak
    # of the process: 360 MB without patterns, 513 with; without the arena 440, and half as fast.
    options.enable_mem_pattern = False
    # To plan which values share memory takes half of the time in which a network is loaded; the arena does as well.
    options.enable_mem_reuse = False
    options.enable_cpu_mem_arena = True
    # What a hostile graph computes from constants while it is loaded, and what it takes when it runs.
    options.add_session_config_entry("optimization.constant_folding_max_output_size_in_bytes", _MOST_FOLDED)
    limit_memory(runtime)
    options.add_session_config_entry("session.use_env_allocators", "1")
    return options


def _check_graph(session: Any, contract: Contract, path: Path) -> None:
    """Compare the graph's inputs and outputs with the contract's."""
    for role, nodes, promised in (
        ("input", session.get_inputs(), contract.inputs),
        ("output", session.get_outputs(), contract.outputs),
    ):
        found = {node.name: node for node in nodes}
        for name in (name for name in promised if name not in found):
            raise ModelError(f"{path}: its contract promises the {role} {name}, but its graph has none")
        for name in (name for name in found if name not in promised):
            raise ModelError(
                f"{path}: its graph has the {role} {ascii(name)[:60]}, which its contract does not know"
            )
        for name, node in found.items():
            if node.type not in _DTYPES:
                raise ModelError(f"{path}: {role} {name}: is {node.type}, must be float32 or float16")
            if not _promises(node.shape, promised[name]):
                raise ModelError(
                    f"{path}: {role} {name}: is {_dims(node.shape)}, "
                    f"but its contract says {_dims(promised[name])}"
                )


def _fits(shape: tuple[int, ...], dims: Dims) -> bool:
    """Whether an array has the dimensions of a contract."""
    return len(shape) == len(dims) and all(
        dim is None or size == dim for size, dim in zip(shape, dims, strict=True)
    )


def _promises(shape: list[Any], dims: Dims) -> bool:
    """Whether a graph's dimensions are a contract's: where any size goes, the graph's must be symbolic."""
    if len(shape) != len(dims):
        return False
    return all(not isinstance(size, int) or size == dim for size, dim in zip(shape, dims, strict=True))


def _dims(shape: Any) -> str:
    return f"({', '.join(str(size) if isinstance(size, int) else 'any' for size in shape)})"[:80]


def _short(message: object) -> str:
    """What ONNX Runtime said, without its colours, codes and source files."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(message))
    text = re.split(r"\[ONNXRuntimeError\] : \d+ : \w+ : |with error: |Status Message: ", text)[-1]
    text = re.sub(r"\S+\.\w+:\d+ [^()]*\([^()]*\) ", "", text)  # file:line type function(arguments)
    failure = re.search(r"CU\w* failure \d+: [^;]*", text)
    text = failure[0] if failure else text
    text = "".join(c if c.isprintable() else " " for c in text.strip().split("\n")[0])
    return text if len(text) <= 200 else f"{text[:197]}..."
