"""`parity gateway`: one table says who serves each route, and a proxy's own configuration is written from it.

The proxy is nginx, HAProxy or Envoy; nothing here answers a request (decision 0028).
"""
