"""Files through the real SDK."""

import io
from pathlib import Path

import openai
import pytest

from audit.serving.api_errors import ApiError
from audit.serving.files import FileRecord, Files
from tests.audit.serving.conftest import jsonl


def test_a_file_goes_up_and_comes_back(client: openai.OpenAI) -> None:
    """What was uploaded is listed, looked up, read and deleted, byte for byte."""
    content = bytes(range(256)) * 1000
    made = client.files.create(file=("mine.bin", content), purpose="user_data")
    assert (made.object, made.bytes, made.filename, made.status) == (
        "file",
        len(content),
        "mine.bin",
        "processed",
    )
    assert made.id in [file.id for file in client.files.list(purpose="user_data")]
    assert made.id not in [file.id for file in client.files.list(purpose="batch")]
    assert client.files.retrieve(made.id) == made
    assert client.files.content(made.id).read() == content
    assert client.files.wait_for_processing(made.id).status == "processed"
    assert client.files.delete(made.id).deleted
    for again in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError):
            again(made.id)


def test_lists_come_in_pages(client: openai.OpenAI) -> None:
    """A client that walks through pages sees each file once, in the order it asks for."""
    ids = [client.files.create(file=(f"{n}.jsonl", jsonl([n])), purpose="vision").id for n in range(5)]
    newest = client.files.list(purpose="vision", limit=2)
    assert len(newest.data) == 2
    assert [file.id for file in newest] == ids[::-1]
    assert [file.id for file in client.files.list(purpose="vision", limit=2, order="asc")] == ids


def test_an_upload_may_expire(client: openai.OpenAI) -> None:
    """A file says when it will be gone if the client asked for that."""
    made = client.files.create(
        file=("a.jsonl", jsonl([1])),
        purpose="batch",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert made.expires_at == made.created_at + 3600


@pytest.mark.parametrize(
    ("name", "purpose", "said"),
    [
        ("a.jsonl", "cakes", "is not one of"),
        ("a.txt", "batch", "Must be .jsonl"),
        ("a.csv", "fine-tune", "Must be .jsonl"),
    ],
)
def test_a_wrong_upload_is_refused(client: openai.OpenAI, name: str, purpose: str, said: str) -> None:
    """A file that nothing could be done with is not taken."""
    with pytest.raises(openai.BadRequestError, match=said):
        client.post(
            "/files",
            body={"purpose": purpose},
            files={"file": (name, io.BytesIO(b"{}"))},
            options={"headers": {"Content-Type": "multipart/form-data"}},
            cast_to=object,
        )


def test_a_name_cannot_lead_out_of_the_folder(client: openai.OpenAI) -> None:
    """What a client calls its file is no path of the server."""
    made = client.files.create(file=("../../../../etc/passwd", b"x"), purpose="user_data")
    assert client.files.content(made.id).read() == b"x"
    with pytest.raises(openai.NotFoundError):
        client.files.content("..%2F..%2Flock")


def test_an_expired_file_leaves_the_disk(tmp_path: Path) -> None:
    """What nobody can ask for any more takes no room: at the next list, look-up or start."""
    now = [1000.0]

    def kept(files: Files) -> FileRecord:
        made = files.new_path()
        made.write_bytes(b"x")
        return files.keep(made, "a.jsonl", "batch", life_s=3600)

    files = Files(tmp_path, lambda: now[0])
    kept(files)
    now[0] += 3600
    assert files.listed(None) == []
    assert list(tmp_path.iterdir()) == []
    second = kept(files)
    now[0] += 3600
    with pytest.raises(ApiError):
        files.find(second.id)
    assert list(tmp_path.iterdir()) == []
    kept(files)
    now[0] += 3600
    Files(tmp_path, lambda: now[0])
    assert list(tmp_path.iterdir()) == []
