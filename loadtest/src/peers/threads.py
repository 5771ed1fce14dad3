"""A chat server of the old kind: a thread for each client, recv(1024), and everything sent on as it came."""

import socket
import sys
import threading

clients = []


def serve(client):
    try:
        while True:
            message = client.recv(1024).decode("utf-8")
            if not message:
                break
            for other in clients:
                if other is not client:
                    other.send(message.encode("utf-8"))
    except (OSError, UnicodeDecodeError):
        pass
    finally:
        if client in clients:
            clients.remove(client)
        client.close()


def main():
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", int(sys.argv[1])))
    server.listen(4096)
    while True:
        client, _ = server.accept()
        clients.append(client)
        threading.Thread(target=serve, args=(client,), daemon=True).start()


main()
