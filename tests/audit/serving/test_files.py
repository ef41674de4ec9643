"""Files through the real SDK."""

import io

import openai
import pytest

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
