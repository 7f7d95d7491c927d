#include "support/certificates.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdexcept>
#include <utility>

namespace windlass::test {
namespace {

void require(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL cannot make a test certificate");
}

struct Free {
  void operator()(X509* x) const { X509_free(x); }
  void operator()(EVP_PKEY* x) const { EVP_PKEY_free(x); }
  void operator()(BIO* x) const { BIO_free_all(x); }
  void operator()(X509_EXTENSION* x) const { X509_EXTENSION_free(x); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

template <class Write>
std::string to_pem(Write write) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  require(bio && write(bio.get()) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

std::string certificate_pem(X509* certificate) {
  return to_pem([&](BIO* to) { return PEM_write_bio_X509(to, certificate); });
}

std::string key_pem(EVP_PKEY* key) {
  return to_pem([&](BIO* to) { return PEM_write_bio_PrivateKey(to, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  require(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

/// Everything but the extensions of its kind and the signature.
Owned<X509> draft(const CertificateRequest& request, EVP_PKEY* key, X509* issuer) {
  Owned<X509> certificate(X509_new());
  require(certificate && X509_set_version(certificate.get(), 2) == 1);
  std::uint32_t serial = 0;
  require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  require(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial) == 1);
  require(X509_gmtime_adj(X509_getm_notBefore(certificate.get()), request.not_before.count()) != nullptr);
  require(X509_gmtime_adj(X509_getm_notAfter(certificate.get()), request.not_after.count()) != nullptr);
  const auto* const name = reinterpret_cast<const unsigned char*>(request.common_name.c_str());
  require(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8, name, -1, -1, 0) ==
          1);
  X509* const signer = issuer ? issuer : certificate.get();
  require(X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer)) == 1);
  require(X509_set_pubkey(certificate.get(), key) == 1);
  return certificate;
}

}  // namespace

struct CertificateAuthority::Impl {
  Owned<EVP_PKEY> key;
  Owned<X509> certificate;
  std::string pem;
};

std::unique_ptr<CertificateAuthority::Impl> CertificateAuthority::make(const CertificateRequest& request,
                                                                       const Impl* issuer) {
  auto impl = std::make_unique<Impl>();
  impl->key.reset(EVP_EC_gen("P-256"));
  require(impl->key != nullptr);
  impl->certificate = draft(request, impl->key.get(), issuer ? issuer->certificate.get() : nullptr);
  X509* const signer = issuer ? issuer->certificate.get() : impl->certificate.get();
  extend(impl->certificate.get(), signer, NID_basic_constraints, "critical,CA:TRUE");
  extend(impl->certificate.get(), signer, NID_key_usage, "critical,keyCertSign,cRLSign");
  require(X509_sign(impl->certificate.get(), issuer ? issuer->key.get() : impl->key.get(), EVP_sha256()) > 0);
  impl->pem = certificate_pem(impl->certificate.get());
  return impl;
}

CertificateAuthority::CertificateAuthority(const std::string& common_name)
    : impl_(make({.common_name = common_name}, nullptr)) {}

CertificateAuthority::CertificateAuthority(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

CertificateAuthority::CertificateAuthority(CertificateAuthority&&) noexcept = default;

CertificateAuthority::~CertificateAuthority() = default;

CertificateAuthority CertificateAuthority::issue_authority(const CertificateRequest& request) const {
  return CertificateAuthority(make(request, impl_.get()));
}

const std::string& CertificateAuthority::certificate() const {
  return impl_->pem;
}

Identity CertificateAuthority::issue(const CertificateRequest& request) const {
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  require(key != nullptr);
  const Owned<X509> certificate = draft(request, key.get(), impl_->certificate.get());
  extend(certificate.get(), impl_->certificate.get(), NID_basic_constraints, "critical,CA:FALSE");
  std::string names;
  for (const std::string& name : request.names) names += (names.empty() ? "" : ",") + name;
  if (!names.empty()) extend(certificate.get(), impl_->certificate.get(), NID_subject_alt_name, names);
  if (!request.extended_key_usage.empty())
    extend(certificate.get(), impl_->certificate.get(), NID_ext_key_usage, request.extended_key_usage);
  require(X509_sign(certificate.get(), impl_->key.get(), EVP_sha256()) > 0);
  return {certificate_pem(certificate.get()), key_pem(key.get())};
}

std::string encrypt_key(const std::string& key, const std::string& passphrase) {
  const Owned<BIO> bio(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  const Owned<EVP_PKEY> parsed(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  require(parsed != nullptr);
  return to_pem([&](BIO* to) {
    return PEM_write_bio_PKCS8PrivateKey(to, parsed.get(), EVP_aes_256_cbc(), passphrase.data(),
                                         static_cast<int>(passphrase.size()), nullptr, nullptr);
  });
}

}  // namespace windlass::test
