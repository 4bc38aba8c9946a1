"""The engine: samples from policies and trains them over HTTP; it knows tokens, weights and files, never scores."""

ENGINE_VERSION = "0.1.0"
