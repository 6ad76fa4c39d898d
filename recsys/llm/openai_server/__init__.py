"""Models on a server that speaks OpenAI's protocol: vLLM, SGLang, llama.cpp's server and the like."""
