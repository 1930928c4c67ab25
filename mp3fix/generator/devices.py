"""What a generator can run on. No ONNX Runtime."""

import ctypes
import os
import re

from mp3fix.errors import DeviceError


def parse_device(device: str) -> tuple[str, int]:
    """ "auto", "cpu" or "cuda", and the index of the GPU.

    Raises:
        DeviceError: when the text is none of them.
    """
    matched = re.fullmatch(r"(auto|cpu|cuda)(?:(?<=cuda):(\d{1,3}))?", device)
    if not matched:
        raise DeviceError(f"no device {device!a}; there are auto, cpu, cuda and cuda:N")
    return matched[1], int(matched[2] or 0)


def has_gpu() -> bool:
    """Whether there is an NVIDIA driver with a GPU. Without one, CUDA's libraries take 225 MB for nothing."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0


def available_cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
