// Certificates for tests, made when they are needed.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace windlass::test {

/// A certificate and its private key, in PEM.
struct Identity {
  std::string certificate;
  std::string key;
};

/// What a certificate is to say. Times are relative to now.
struct CertificateRequest {
  std::string common_name = "localhost";
  std::vector<std::string> names = {"DNS:localhost", "IP:127.0.0.1", "IP:::1"};  ///< empty: no such extension
  std::chrono::seconds not_before = std::chrono::hours(-1);
  std::chrono::seconds not_after = std::chrono::hours(24);
  std::string extended_key_usage = {};  ///< "serverAuth", "clientAuth"; empty: no such extension
};

/// An authority with a key of its own.
class CertificateAuthority {
 public:
  explicit CertificateAuthority(const std::string& common_name = "Test Authority");
  CertificateAuthority(CertificateAuthority&&) noexcept;
  ~CertificateAuthority();

  /// Its own certificate, in PEM: what others are to trust.
  const std::string& certificate() const;
  Identity issue(const CertificateRequest& request = {}) const;
  /// An authority below this one. Of the request its common name and its times count.
  CertificateAuthority issue_authority(const CertificateRequest& request) const;

 private:
  struct Impl;
  explicit CertificateAuthority(std::unique_ptr<Impl> impl);
  static std::unique_ptr<Impl> make(const CertificateRequest& request, const Impl* issuer);
  std::unique_ptr<Impl> impl_;
};

/// The same key, encrypted.
std::string encrypt_key(const std::string& key, const std::string& passphrase);

}  // namespace windlass::test
