# SPDX-License-Identifier: Apache-2.0
"""A certificate authority for tests, and servers' certificates of it (openssl)."""

import ssl
import subprocess

EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


class Authority:
    """`ca` is the file to trust. make() gives the path of certificate and key in one file."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.ca = folder / "ca.pem"
        self._openssl("req", "-x509", *EC, "-days", "2", "-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem")
        (folder / "index").touch()
        (folder / "authority.cnf").write_text(
            "[ca]\ndefault_ca = d\n[d]\ndatabase = index\nserial = serial\nrand_serial = yes\nnew_certs_dir = .\n"
            "certificate = ca.pem\nprivate_key = ca.key\ndefault_md = sha256\npolicy = p\nunique_subject = no\n"
            "[p]\ncommonName = supplied\n")

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.PIPE)

    def make(self, name="server", names="DNS:localhost,IP:127.0.0.1", until="20991231000000Z"):
        self._openssl("req", *EC, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n")
        self._openssl("ca", "-batch", "-notext", "-config", "authority.cnf", "-in", f"{name}.csr", "-out", f"{name}.crt",
                      "-startdate", "20200101000000Z", "-enddate", until, "-extfile", f"{name}.ext")
        path = self.folder / f"{name}.pem"
        path.write_text((self.folder / f"{name}.crt").read_text() + (self.folder / f"{name}.key").read_text())
        return path


def server_context(pem):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    return context
