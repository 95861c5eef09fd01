"""Runs tools in forks of one process, which has imported mmpose already.

Every line of the input is a job in JSON: ``command``, the tool and its
arguments; ``processes``, how many take part, with the environment that
torchrun would give them; ``log``, a file for what they print. Every line of
the output is the list of their exit statuses, negative for signals. As under
torchrun, a process that fails ends the others.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import socket
import sys
import traceback


def run_tool(job, rank, port):
    """Be the tool, in a forked process."""
    log = os.open(job['log'], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if job['processes'] > 1:
        os.environ.update(
            RANK=str(rank),
            LOCAL_RANK=str(rank),
            WORLD_SIZE=str(job['processes']),
            MASTER_ADDR='127.0.0.1',
            MASTER_PORT=str(port),
        )
    sys.argv = job['command']
    try:
        runpy.run_path(sys.argv[0], run_name='__main__')
        status = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f'{end.code}\n')
        status = int(bool(end.code))
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def run_job(job):
    """Fork the processes of a job and wait for them."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    ranks = {}
    for rank in range(job['processes']):
        child = os.fork()
        if child == 0:
            run_tool(job, rank, port)
        ranks[child] = rank
    statuses = [0] * job['processes']
    running = dict(ranks)
    while running:
        child, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
        statuses[running.pop(child)] = code
        if code:
            for other in running:
                os.kill(other, signal.SIGKILL)
    return statuses


def main():
    import mmengine.runner  # noqa: F401

    import mmcape  # noqa: F401

    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)
    for line in sys.stdin:
        print(json.dumps(run_job(json.loads(line))), file=answers, flush=True)


if __name__ == '__main__':
    main()
