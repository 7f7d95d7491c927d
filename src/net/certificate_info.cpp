#include <arpa/inet.h>
#include <ctime>
#include <openssl/x509v3.h>

#include "net/openssl.h"

namespace windlass::net {
namespace {

using ExtendedUses = OpensslPointer<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;
using GeneralNames = OpensslPointer<GENERAL_NAMES, GENERAL_NAMES_free>;

// A certificate of up to 100 kB is what anybody may show; what is told of it stays a line.
constexpr std::size_t longest_text = 256;

std::string shortened(std::string text) {
  if (text.size() <= longest_text) return text;
  text.resize(longest_text);
  return text + "...";
}

/// What stands in `bio`.
std::string content_of(const BioPointer& bio) {
  const char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return shortened(std::string(text, static_cast<std::size_t>(size)));
}

std::string text_of(const X509_NAME* name) {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) return {};
  return content_of(bio);
}

std::chrono::system_clock::time_point time_of(const ASN1_TIME* time) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(time, &fields) != 1) return {};
  return std::chrono::system_clock::from_time_t(timegm(&fields));
}

std::string text_of(const GENERAL_NAME& name) {
  if (name.type == GEN_DNS) {
    const BioPointer bio(BIO_new(BIO_s_mem()));
    if (!bio || ASN1_STRING_print_ex(bio.get(), name.d.dNSName, ASN1_STRFLGS_ESC_CTRL) < 0) return {};
    return "DNS:" + content_of(bio);
  }
  if (name.type == GEN_IPADD) {
    const int size = ASN1_STRING_length(name.d.iPAddress);
    char text[INET6_ADDRSTRLEN];
    if ((size == 4 || size == 16) &&
        inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name.d.iPAddress), text, sizeof text))
      return std::string("IP:") + text;
  }
  return {};
}

}  // namespace

CertificateInfo describe_certificate(const X509* certificate) {
  CertificateInfo info;
  info.subject = text_of(X509_get_subject_name(certificate));
  info.issuer = text_of(X509_get_issuer_name(certificate));
  info.not_before = time_of(X509_get0_notBefore(certificate));
  info.not_after = time_of(X509_get0_notAfter(certificate));
  const GeneralNames names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i)
    if (std::string name = text_of(*sk_GENERAL_NAME_value(names.get(), i)); !name.empty())
      info.names.push_back(std::move(name));
  const ExtendedUses uses(
      static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr)));
  for (int i = 0; uses && i < sk_ASN1_OBJECT_num(uses.get()); ++i) {
    char text[80];
    if (OBJ_obj2txt(text, sizeof text, sk_ASN1_OBJECT_value(uses.get(), i), 0) > 0) info.uses.emplace_back(text);
  }
  return info;
}

}  // namespace windlass::net
