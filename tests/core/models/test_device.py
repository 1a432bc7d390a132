"""What a device says of itself."""

import torch

from scumble_core.models.device import Device


def test_work_is_of_another_kind_with_another_number_of_threads_on_the_cpu_alone():
    cpu, cuda = Device("cpu", torch.bfloat16), Device("cuda", torch.float16)
    before = torch.get_num_threads()
    kinds = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        kinds.append((cpu.kind, cuda.kind))
    torch.set_num_threads(before)
    assert kinds[0][0] != kinds[1][0] and kinds[0][1] == kinds[1][1]
    assert Device("cpu", torch.float32).kind != cpu.kind


def test_the_computers_memory_is_known_here():
    assert Device("cpu", torch.float32).memory > 2**28
