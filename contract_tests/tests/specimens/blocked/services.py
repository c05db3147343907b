"""What handlers call, at any depth."""

from __future__ import annotations

import asyncio
import os
import queue
import shutil
import subprocess
import threading
import time
import urllib.request as web
from abc import ABC, abstractmethod
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from time import sleep as nap

import bcrypt
import boto3
import httpx
import requests as rq
from argon2 import PasswordHasher

executor = ThreadPoolExecutor(2)
hasher = PasswordHasher()
lock = threading.Lock()
jobs: queue.Queue[str] = queue.Queue()
session = rq.Session()
s3 = boto3.client("s3")
FOLDER = Path("/tmp")


def one():
    return two()


def two():
    return three(4)


def three(depth):
    nap(1)  # planted: time.sleep
    return four(depth - 1) if depth else None


def four(depth):
    """A cycle."""
    return three(depth)


def fetch_all(url):
    first = rq.get(url)  # planted: requests.get
    second = session.post(url)  # planted: requests.Session.post
    with httpx.Client() as client:
        third = client.get(url)  # planted: httpx.Client.get
    fourth = web.urlopen(url)  # planted: urllib.request.urlopen
    s3.upload_file("a", "b", "c")  # planted: boto3.client().upload_file
    return first, second, third, fourth


def run_tools():
    subprocess.run(["ls"], check=True)  # planted: subprocess.run
    process = subprocess.Popen(["ls"])
    process.communicate()  # planted: subprocess.Popen.communicate
    os.system("ls")  # planted: os.system


def read_files(name: str):
    with open(name) as file:  # planted: builtins.open
        content = file.read()
    (FOLDER / name).write_text(content)  # planted: pathlib.Path.write_text
    shutil.copyfile(name, FOLDER)  # planted: shutil.copyfile
    return FOLDER.joinpath(name).exists()  # innocent


def wait_for_threads():
    with lock:  # planted: with threading.Lock
        job = jobs.get()  # planted: queue.Queue.get
    thread = threading.Thread(target=one)  # innocent
    thread.start()
    thread.join()  # planted: threading.Thread.join
    if lock.acquire(blocking=False):  # innocent
        lock.release()
    jobs.get(block=False)  # innocent
    jobs.get_nowait()  # innocent
    return begin(job).result()  # planted: concurrent.futures.Future.result


def spare_calls(name: str):
    os.waitpid(-1, os.WNOHANG)  # innocent
    future = executor.submit(work, 1)
    future.add_done_callback(told)
    executor.submit(lambda: time.sleep(1))  # innocent


def told(future: Future[None]):
    future.exception()  # innocent


def begin(job) -> Future[None]:
    return executor.submit(work, job)  # innocent


def work(_):
    time.sleep(9)  # innocent


def check_password(password: bytes, stored: bytes):
    hasher.verify(stored, password)  # planted: argon2.PasswordHasher.verify
    return bcrypt.checkpw(password, stored)  # planted: bcrypt.checkpw


def retried(call, *arguments):
    return call(*arguments)


class Sender(ABC):
    @abstractmethod
    def send(self, text): ...

    async def send_soon(self, text):
        self.send(text)


class Mail(Sender):
    def __init__(self):
        import smtplib

        self.server = smtplib.SMTP()  # planted: smtplib.SMTP

    def send(self, text):
        self.server.send_message(text)  # planted: smtplib.SMTP.send_message

    def __enter__(self):
        nap(2)  # planted: time.sleep
        return self

    def __exit__(self, *_): ...

    def __call__(self):
        self.server.quit()  # planted: smtplib.SMTP.quit


class Pool:
    """Work that goes to threads, in every usual way."""

    async def hash(self, password):
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(executor, hasher.hash, password)  # innocent
        await loop.run_in_executor(None, lambda: time.sleep(1))  # innocent
        await asyncio.to_thread(time.sleep, 1)  # innocent
        return await asyncio.wrap_future(executor.submit(hasher.hash, password))  # innocent


async def finished(task: asyncio.Task[int], others: asyncio.Queue[int]):
    await others.get()  # innocent
    return task.result()  # innocent
