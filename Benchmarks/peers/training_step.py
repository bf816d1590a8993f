"""One training step of ResNet-20 on 1 x 28 x 28, batch 128: PyTorch, and smartdeal against it, interleaved.

    python training_step.py [--smartdeal PATH] [--threads T...] [--rounds R] [--steps K] [--prune FRACTION]

Four sides: the dense step in PyTorch (channels last: forward, cross entropy, backward, SGD with Nesterov's
momentum), the step in SmartDeal form in PyTorch (smartdeal_in_torch.py, compiled by torch.compile where that
is faster), and both in smartdeal. Each is a process that stays, bound to the first T cores. It prints a line of
JSON when it is ready, and then for every line with a number K that it reads runs K steps and prints
{"min_ms", "median_ms"} in one line. A round asks every side in turn, the order alternating. Reported: the least
time, the median of the rounds' medians, ratios of those; rounds where other processes took more than --others
of a core are left out, never by what they measured.

Memory: a process of each side on its own makes three steps; its resident size when it is ready and at its
peak, which the kernel counts anew from then on where it can; for PyTorch also the bytes that the forward pass
saves for the backward pass. Writes Benchmarks/results/training_step.json.
"""
from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

from compare_latency import busy_seconds

RESULTS = Path(__file__).parents[1] / "results" / "training_step.json"
BATCH, RATE, MOMENTUM, DECAY = 128, 0.05, 0.9, 5e-4
SWITCH = {"smallest": 1e-3, "bar": 1}
# Sides whose ratio has a limit: the first over the second.
LIMITS = [("smartdeal dense", "torch dense", 1.1), ("smartdeal form", "torch dense", 1.0),
          ("smartdeal form", "torch form", 0.65)]


class TorchStep:
    """The network, its batch and its optimisers; calling it is one step and gives the loss."""

    def __init__(self, form: str, prune: float):
        import torch

        sys.path.insert(0, str(Path(__file__).parents[2] / "Tests" / "Interop"))
        from smartdeal_in_torch import SmartDealForm
        from torch_networks import ResNet20

        torch.manual_seed(0)
        self.network = ResNet20().to(memory_format=torch.channels_last)
        # `to` gives the strides of channels last to one channel too; without them torch goes on in the other order.
        self.images = torch.randn(BATCH, 1, 28, 28).to(memory_format=torch.channels_last)
        self.labels = torch.randint(0, 10, (BATCH,))
        self.form = SmartDealForm(self.network, prune) if form == "smartdeal" else None
        parameters = dict(self.network.named_parameters())
        if self.form:
            for layer in self.form.layers:
                parameters.pop(layer.name).requires_grad_(False)
            parameters["bases"] = self.form.bases
        self.optimizer = torch.optim.SGD(parameters.values(), lr=RATE, momentum=MOMENTUM, nesterov=True,
                                         weight_decay=DECAY, fused=True)
        self.forward = self.loss

    def loss(self):
        from torch.func import functional_call
        from torch.nn.functional import cross_entropy

        weights = self.form.weights() if self.form else {}
        return cross_entropy(functional_call(self.network, weights, (self.images,)), self.labels)

    def __call__(self):
        self.optimizer.zero_grad()
        if self.form:
            self.form.coefficients.grad = None
        loss = self.forward()
        loss.backward()
        self.optimizer.step()
        if self.form:
            self.form.switch(self.form.coefficients.grad, RATE, MOMENTUM, DECAY, **SWITCH)
        return loss.detach()

    def times(self, steps: int) -> dict:
        times = []
        for _ in range(steps):
            start = time.perf_counter()
            self()
            times.append(1e3 * (time.perf_counter() - start))
        return {"min_ms": min(times), "median_ms": statistics.median(times)}

    def compile_if_faster(self, steps: int = 5) -> bool:
        """Whether the forward and backward passes that torch.compile makes are faster, and so are used."""
        import torch

        self.times(2)
        eager = self.times(steps)["min_ms"]
        try:
            self.forward = torch.compile(self.loss)
            self.times(2)
            if self.times(steps)["min_ms"] < eager:
                return True
        except Exception as problem:  # of several kinds; without a C++ compiler, for one
            print(f"torch.compile: {str(problem).strip().splitlines()[0]}", file=sys.stderr)
        self.forward = self.loss
        return False

    def saved_bytes(self) -> int:
        """What the forward pass saves, each storage once; without parameters and the batch."""
        import torch

        form = [self.form.coefficients, self.form.bases] if self.form else []
        own = {t.untyped_storage().data_ptr()
               for t in [*self.network.parameters(), *form, self.images, self.labels]}
        saved = {}

        def pack(tensor):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                saved[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            self.loss().backward()
        return sum(saved.values())


def torch_child(form: str, threads: int, prune: float, mode: str) -> None:
    """A side in PyTorch; mode: eager, fastest (of that and torch.compile), or memory."""
    import torch

    torch.set_num_threads(threads)
    step = TorchStep(form, prune)
    compiled = mode == "fastest" and step.compile_if_faster()
    print(json.dumps({"torch": torch.__version__, "compiled": compiled}), flush=True)
    for line in sys.stdin:
        answer = step.times(int(line))
        if mode == "memory":
            answer["saved_bytes"] = step.saved_bytes()
        print(json.dumps(answer), flush=True)


class Side:
    """A process that answers a number of steps with their times."""

    def __init__(self, command: list[str], threads: int):
        cores = sorted(os.sched_getaffinity(0))[:threads]
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, cores)), *command], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env=environment)
        self.command = command
        self.ready = self.answer()

    def answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{' '.join(self.command)}: ended with status {self.process.wait()}")
        return json.loads(line)

    def ask(self, steps: int) -> dict:
        """The answer, with the cores that other processes took meanwhile as `others`."""
        busy, own, start = busy_seconds(), self.cpu_seconds(), time.perf_counter()
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        answer, seconds = self.answer(), time.perf_counter() - start
        others = (busy_seconds() - busy - (self.cpu_seconds() - own)) / seconds
        return answer | {"others": max(0.0, others)}

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self, what: str) -> int:
        """Bytes: VmRSS now, VmHWM at the peak."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(status.split(what + ":", 1)[1].split()[0])

    def forget_peak(self) -> None:
        """The peak counts from now on; where that is not allowed, from the start."""
        try:
            Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        except OSError:
            pass

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def commands(smartdeal: str | None, threads: int, prune: float, memory: bool = False) -> dict[str, list[str]]:
    """The command of every side by its name."""
    # PyTorch's dense step is what people write, without torch.compile.
    modes = {"dense": "eager", "smartdeal": "fastest"}
    sides = {}
    for name, form in [("dense", "dense"), ("form", "smartdeal")]:
        sides[f"torch {name}"] = [sys.executable, __file__, "--child", form, str(threads), str(prune),
                                  "memory" if memory else modes[form]]
    for name, options in [("dense", ["dense"]), ("form", ["smartdeal", "--prune", str(prune)])]:
        if smartdeal:
            sides[f"smartdeal {name}"] = [
                smartdeal, "bench", "resnet20@1x28x28/10", "--training", "--batch", str(BATCH), "--form", *options,
                "--threads", str(threads), "--rounds-on-stdin"]
    return sides


def measured_times(options: argparse.Namespace, threads: int) -> dict:
    """All sides in turn, round after round, and what came of it."""
    sides = {name: Side(command, threads)
             for name, command in commands(options.smartdeal, threads, options.prune).items()}
    for side in sides.values():
        side.ask(2)
    rounds = [{name: sides[name].ask(options.steps) for name in (list(sides) if i % 2 == 0 else reversed(sides))}
              for i in range(options.rounds)]
    for side in sides.values():
        side.close()
    result = summary(rounds, options.others)
    result["torch form"]["compiled"] = sides["torch form"].ready["compiled"]
    return result | {"torch": sides["torch dense"].ready["torch"]}


def summary(rounds: list[dict], others: float) -> dict:
    """Times and ratios of the rounds that nothing disturbed; of all of them when there is none."""
    quiet = [r for r in rounds if max(answer["others"] for answer in r.values()) <= others]
    kept = quiet or rounds
    result = {"rounds": len(rounds), "rounds_used": len(kept), "disturbed": not quiet, "ratios": {}}
    for name in rounds[0]:
        result[name] = {"min_ms": min(r[name]["min_ms"] for r in kept),
                        "median_ms": statistics.median(r[name]["median_ms"] for r in kept)}
    pairs = [(a, b, limit) for a, b, limit in LIMITS if a in result] + [("torch form", "torch dense", None)]
    for a, b, limit in pairs:
        result["ratios"][f"{a} / {b}"] = {
            "min": result[a]["min_ms"] / result[b]["min_ms"],
            "median": statistics.median(r[a]["median_ms"] / r[b]["median_ms"] for r in kept), "limit": limit}
    return result


def measured_memory(options: argparse.Namespace, threads: int) -> dict:
    """Each side alone, three steps: bytes resident when ready and at the peak."""
    result = {}
    for name, command in commands(options.smartdeal, threads, options.prune, memory=True).items():
        side = Side(command, threads)
        side.forget_peak()
        ready, before = side.resident("VmRSS"), side.resident("VmHWM")
        answer = side.ask(3)
        result[name] = {"ready_bytes": ready, "peak_before_bytes": before,
                        "peak_bytes": side.resident("VmHWM")}
        result[name]["step_bytes"] = result[name]["peak_bytes"] - before
        if "saved_bytes" in answer:
            result[name]["saved_bytes"] = answer["saved_bytes"]
        side.close()
    return result


def show(threads: int, times: dict, memory: dict) -> bool:
    """Prints the tables; whether all limits hold."""
    disturbed = "; other processes ran" if times["disturbed"] else ""
    print(f"\n{threads} threads ({times['rounds_used']} of {times['rounds']} rounds{disturbed})\n"
          "side              min, ms  median, ms  step, MB  peak, MB  saved, MB")
    for name, row in memory.items():
        saved = f"{row['saved_bytes'] / 1e6:9.1f}" if "saved_bytes" in row else ""
        print(f"{name:16}  {times[name]['min_ms']:7.1f}  {times[name]['median_ms']:10.1f}"
              f"  {row['step_bytes'] / 1e6:8.1f}  {row['peak_bytes'] / 1e6:8.1f}  {saved}"
              f"{'  compiled' if times[name].get('compiled') else ''}")
    holds = True
    for name, ratio in times["ratios"].items():
        above = ratio["limit"] is not None and ratio["median"] > ratio["limit"]
        holds = holds and not above
        print(f"{name:30}  of medians {ratio['median']:.2f}, of least {ratio['min']:.2f}"
              f"{'  above ' + str(ratio['limit']) if above else ''}", flush=True)
    if "smartdeal dense" in memory:
        holds = holds and all(memory[name]["step_bytes"] <= memory["torch dense"]["step_bytes"]
                              for name in memory if name.startswith("smartdeal"))
    return holds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smartdeal", metavar="PATH")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], metavar="T")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=5, help="in a round")
    parser.add_argument("--prune", type=float, default=0.5, help="fraction of rows")
    parser.add_argument("--others", type=float, default=0.1, help="cores that others may take")
    options = parser.parse_args()

    report = {"network": "resnet20@1x28x28/10", "batch": BATCH, "prune": options.prune,
              "machine": platform.machine(), "steps": options.steps, "threads": {}}
    holds = True
    for threads in options.threads:
        times, memory = measured_times(options, threads), measured_memory(options, threads)
        report["torch"] = times.pop("torch")
        report["threads"][str(threads)] = {"times": times, "memory": memory}
        holds = show(threads, times, memory) and holds
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")
    return 0 if holds else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        torch_child(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
        sys.exit(0)
    sys.exit(main())
