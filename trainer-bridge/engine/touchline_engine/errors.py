"""The one error that crosses the wire, with its HTTP status and a text that says what to do."""


class EngineError(Exception):
    """A refused request: nothing was changed. `details` are added to the reply, as `expected` on a gap in seq."""

    def __init__(self, status: int, message: str, code: str = "bad_request", **details: object) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.details = details

    def body(self) -> dict[str, object]:
        """The reply in OpenAI's error shape."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return {"error": {"message": self.message, "type": kind, "param": None, "code": self.code}, **self.details}
