"""The Python peers: a process that reads commands, times itself and answers a line for each.

    versions                          -> the libraries' versions
    set JOB ARGUMENT...               prepares a job: oaconvolve SIGNAL KERNEL, moving_rms SIGNAL WINDOW
    answer FILE                       runs it once and writes the answer, as 32-bit floats
    time CALLS                        -> the process time of so many calls, in nanoseconds

Files hold 32-bit floats.
"""

import sys
import time

import numpy
import scipy
from scipy.signal import oaconvolve


def signal(path):
    return numpy.fromfile(path, dtype=numpy.float32)


def moving_rms(audio, window):
    """What a programmer writes with numpy: differences of the running sum of squares."""
    sums = numpy.cumsum(numpy.square(audio, dtype=numpy.float64))
    sums = numpy.concatenate(([0.0], sums))
    return numpy.sqrt(numpy.maximum(sums[window:] - sums[:-window], 0.0) / window)


def prepare(name, arguments):
    if name == "oaconvolve":
        audio, kernel = (signal(path) for path in arguments)
        return lambda: oaconvolve(audio, kernel)
    if name == "moving_rms":
        audio, window = signal(arguments[0]), int(arguments[1])
        return lambda: moving_rms(audio, window)
    raise ValueError(f"no such job: {name}")


def main():
    job = None
    for line in sys.stdin:
        command, *arguments = line.rstrip("\n").split("\t")
        if command == "versions":
            answer = f"numpy {numpy.__version__}, SciPy {scipy.__version__}"
        elif command == "set":
            job = prepare(arguments[0], arguments[1:])
            answer = "ok"
        elif command == "answer":
            job().astype(numpy.float32).tofile(arguments[0])
            answer = "ok"
        elif command == "time":
            began = time.process_time_ns()
            for _ in range(int(arguments[0])):
                job()
            answer = str(time.process_time_ns() - began)
        else:
            raise ValueError(f"no such command: {command}")
        print(answer, flush=True)


if __name__ == "__main__":
    main()
