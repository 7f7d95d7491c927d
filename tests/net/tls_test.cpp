#include "net/tls.h"

#include <filesystem>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>

#include "peers.h"
#include "support/certificates.h"
#include "support/temporary_directory.h"

namespace windlass::net {
namespace {

using test::CertificateAuthority;
using test::CertificateRequest;
using test::Identity;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing was refused";
}

class TlsFiles : public testing::Test {
 protected:
  std::string refused_client() {
    return refusal([&] { TlsContext::client(options); });
  }

  test::TemporaryDirectory directory;
  CertificateAuthority authority;
  Identity identity = authority.issue();
  TlsOptions options;
};

TEST_F(TlsFiles, LoadFromPathsAsFromText) {
  options.certificate_authorities = {directory.write("ca.pem", authority.certificate()), authority.certificate()};
  options.certificate = directory.write("cert.pem", identity.certificate + authority.certificate());
  options.key = directory.write("key.pem", identity.key);
  EXPECT_NO_THROW(TlsContext::client(options));
  EXPECT_NO_THROW(TlsContext::server(options));
}

TEST_F(TlsFiles, LoadAnEncryptedKeyWithItsPassphraseOnly) {
  options.certificate = identity.certificate;
  options.key = directory.write("key.pem", test::encrypt_key(identity.key, "open sesame"));
  EXPECT_THAT(refused_client(), AllOf(HasSubstr(options.key), HasSubstr("no passphrase is given")));
  options.key_passphrase = "open barley";
  EXPECT_THAT(refused_client(), AllOf(HasSubstr(options.key), HasSubstr("is the passphrase right?")));
  options.key_passphrase = "open sesame";
  EXPECT_NO_THROW(TlsContext::client(options));
}

TEST_F(TlsFiles, AreNamedWhenTheyAreMissing) {
  const std::string missing = (directory.path() / "missing.pem").string();
  options.certificate_authorities = {missing};
  EXPECT_EQ(refused_client(), "certificate authority " + missing + ": No such file or directory");
  options.certificate_authorities = {directory.path().string()};
  EXPECT_THAT(refused_client(), HasSubstr("Is a directory"));
}

TEST_F(TlsFiles, AreNamedWhenTheyHoldSomethingElse) {
  const std::string prose = directory.write("prose.pem", "Dear reader,");
  options.certificate_authorities = {prose};
  EXPECT_EQ(refused_client(), "certificate authority " + prose + ": there is no PEM certificate in it");
  const std::string broken =
      directory.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  options.certificate_authorities = {broken};
  EXPECT_THAT(refused_client(), StartsWith("certificate authority " + broken + ": a certificate in it cannot be read"));
  options.certificate_authorities.clear();
  options.certificate = identity.certificate;
  options.key = prose;
  EXPECT_THAT(refused_client(), StartsWith("key " + prose + ": there is no readable PEM private key in it"));
}

TEST_F(TlsFiles, MustBelongTogether) {
  options.certificate = directory.write("cert.pem", identity.certificate);
  options.key = directory.write("key.pem", authority.issue().key);
  EXPECT_EQ(refused_client(),
            "key " + options.key + ": the key does not belong to the certificate " + options.certificate);
  options.key.clear();
  EXPECT_EQ(refused_client(), "certificate: it is given without its key");
  options.certificate.clear();
  options.key = identity.key;
  EXPECT_EQ(refused_client(), "key: it is given without a certificate");
  EXPECT_THAT(refusal([] { TlsContext::server({}); }), HasSubstr("a TLS server needs one"));
}

TEST_F(TlsFiles, SystemAuthoritiesServeWhereNoneAreGiven) {
  EXPECT_NO_THROW(TlsContext::client({}));
}

TEST_F(TlsFiles, ThatChangeAreLoadedAnewByTheNextConnection) {
  const std::string authorities = directory.write("ca.pem", authority.certificate());
  options.certificate_authorities = {authorities};
  std::vector<std::pair<bool, std::string>> told;
  options.on_change = [&](bool used, const std::string& news) { told.emplace_back(used, news); };
  const TlsContext context = TlsContext::client(options);
  const auto first = context.current();
  EXPECT_EQ(context.current(), first);
  EXPECT_THAT(told, IsEmpty());

  directory.write("ca.pem", "Dear reader,");
  EXPECT_EQ(context.current(), first);
  EXPECT_EQ(context.current(), first);
  ASSERT_EQ(told.size(), 1u) << "the same is told once";
  EXPECT_FALSE(told[0].first);
  EXPECT_EQ(told[0].second, "the TLS files have changed, but the old ones are used on: certificate authority " +
                                authorities + ": there is no PEM certificate in it");
  std::filesystem::remove(authorities);
  EXPECT_EQ(context.current(), first);
  EXPECT_THAT(told.back().second, HasSubstr("No such file"));

  directory.write("ca.pem", CertificateAuthority("New").certificate());
  const auto second = context.current();
  EXPECT_NE(second, first);
  EXPECT_EQ(context.current(), second);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_TRUE(told[2].first);
}

TEST_F(TlsFiles, ThatChangeOneAfterAnotherAreTakenTogether) {
  options.certificate = directory.write("cert.pem", identity.certificate);
  options.key = directory.write("key.pem", identity.key);
  const TlsContext context = TlsContext::server(options);
  const auto first = context.current();
  const Identity renewed = authority.issue();
  directory.write("cert.pem", renewed.certificate);
  EXPECT_EQ(context.current(), first) << "its key is not there yet";
  directory.write("key.pem", renewed.key);
  EXPECT_NE(context.current(), first);
}

constexpr const char* unknown_authority =
    "the peer's certificate \"CN=localhost\" (depth 0, issued by \"CN=Test Authority\") is signed by an unknown "
    "authority";

/// Handshakes between a server on 127.0.0.1 and a client that calls it by any name.
class TlsHandshake : public testing::Test, ConnectObserver {
 protected:
  TlsHandshake() {
    present(authority.issue());
    client.certificate_authorities = {authority.certificate()};
  }

  void present(const Identity& identity) {
    server.certificate = identity.certificate;
    server.key = identity.key;
  }
  void present(const CertificateRequest& request) { present(authority.issue(request)); }

  ConnectResult connect(const std::string& server_name = "localhost") {
    listener = network.listen(TlsContext::server(server));
    Connector::Options options;
    options.to = {"127.0.0.1", listener->port()};
    options.server_name = server_name;
    options.tls = TlsContext::client(client);
    options.observer = this;
    return network.connect(options);
  }
  std::string detail(const std::string& server_name = "localhost") {
    const ConnectResult result = connect(server_name);
    if (!result.error) return "connected";
    const std::string step = "TLS handshake with 127.0.0.1:" + std::to_string(listener->port()) + ": ";
    EXPECT_THAT(result.detail, StartsWith(step));
    return result.detail.substr(std::min(step.size(), result.detail.size()));
  }

  void on_resolved(const std::vector<SocketAddress>&) override {}
  void on_connected(const SocketAddress&) override {}
  void on_secured(const SocketAddress&, const TlsInfo& tls) override { info = tls; }
  void on_address_failed(const SocketAddress&, std::string_view) override {}

  CertificateAuthority authority;
  TlsOptions server;
  TlsOptions client;
  Network network;
  std::unique_ptr<Listener> listener;
  TlsInfo info;
};

TEST_F(TlsHandshake, TellsWhatWasAgreedOn) {
  EXPECT_EQ(detail(), "connected");
  EXPECT_EQ(info.version, "TLSv1.3");
  EXPECT_THAT(info.cipher, StartsWith("TLS_"));
  ASSERT_TRUE(info.peer);
  EXPECT_EQ(info.peer->subject, "CN=localhost");
  EXPECT_EQ(info.peer->issuer, "CN=Test Authority");
  EXPECT_THAT(info.peer->names, testing::ElementsAre("DNS:localhost", "IP:127.0.0.1", "IP:::1"));
  const auto now = std::chrono::system_clock::now();
  EXPECT_LT(info.peer->not_before, now);
  EXPECT_GT(info.peer->not_after, now + std::chrono::hours(23));
  EXPECT_LT(info.peer->not_after, now + std::chrono::hours(25));
}

TEST_F(TlsHandshake, FullWantsTheNameOrTheAddress) {
  present({.common_name = "logs.example.org", .names = {"DNS:*.example.org", "IP:127.0.0.1"}});
  EXPECT_EQ(detail("logs.example.org"), "connected");
  EXPECT_EQ(detail("logs.example.org."), "connected");
  EXPECT_EQ(detail("127.0.0.1"), "connected");
  EXPECT_EQ(detail("example.com"),
            "the peer's certificate \"CN=logs.example.org\" (depth 0, issued by \"CN=Test Authority\") is not for "
            "\"example.com\"; it is for DNS:*.example.org, IP:127.0.0.1");
  EXPECT_THAT(detail("10.0.0.1"), HasSubstr("is not for \"10.0.0.1\"; it is for DNS:*.example.org"));
  EXPECT_THAT(detail("a.b.example.org"), HasSubstr("is not for \"a.b.example.org\""));
}

TEST_F(TlsHandshake, TheHostIsTheNameWhereNoneIsGiven) {
  present({.common_name = "other", .names = {"DNS:other"}});
  EXPECT_THAT(detail(""), HasSubstr("is not for \"127.0.0.1\"; it is for DNS:other"));
}

TEST_F(TlsHandshake, StrictWantsAnAlternativeNameWhereFullTakesTheCommonName) {
  present({.common_name = "logs.example.org", .names = {}});
  EXPECT_EQ(detail("logs.example.org"), "connected");
  client.verification_mode = VerificationMode::strict;
  EXPECT_THAT(detail("logs.example.org"), HasSubstr("is not for \"logs.example.org\"; it has no alternative names"));
  present({.common_name = "any", .names = {"DNS:logs.example.org"}});
  EXPECT_EQ(detail("logs.example.org"), "connected");
}

TEST_F(TlsHandshake, CertificateModeTakesAnyNameOfATrustedAuthority) {
  client.verification_mode = VerificationMode::certificate;
  EXPECT_EQ(detail("example.com"), "connected");
  present(CertificateAuthority("Somebody").issue());
  EXPECT_EQ(detail("example.com"),
            "the peer's certificate \"CN=localhost\" (depth 0, issued by \"CN=Somebody\") is signed by an unknown "
            "authority");
}

TEST_F(TlsHandshake, NoneTakesAnything) {
  client.verification_mode = VerificationMode::none;
  present(CertificateAuthority("Somebody")
              .issue({.not_before = std::chrono::hours(-2), .not_after = std::chrono::hours(-1)}));
  EXPECT_EQ(detail("example.com"), "connected");
}

TEST_F(TlsHandshake, RefusesACertificateOutOfItsTime) {
  present({.not_before = std::chrono::hours(-48), .not_after = std::chrono::hours(-24)});
  EXPECT_THAT(detail(), testing::MatchesRegex("the peer's certificate \"CN=localhost\" .depth 0, issued by \"CN=Test "
                                              "Authority\". expired on 20..-..-.. ..:..:.. UTC"));
  present({.not_before = std::chrono::hours(24), .not_after = std::chrono::hours(48)});
  EXPECT_THAT(detail(), HasSubstr("is not valid before 20"));
}

TEST_F(TlsHandshake, RefusesAnUnknownAuthority) {
  client.certificate_authorities = {CertificateAuthority("Another").certificate()};
  EXPECT_EQ(detail(), unknown_authority);
  ASSERT_TRUE(network.run_until([&] { return !network.failures.empty(); }));
  EXPECT_THAT(network.failures.front().detail,
              AllOf(StartsWith("TLS handshake with 127.0.0.1:"), HasSubstr("unknown ca")));
  EXPECT_EQ(network.failures.front().error.category(), tls_category());
  EXPECT_THAT(network.accepted, IsEmpty());
}

TEST_F(TlsHandshake, TellsHowDeepInTheChainTheFailureIs) {
  const auto present_below = [&](const CertificateAuthority& between) {
    const Identity identity = between.issue();
    present({identity.certificate + between.certificate(), identity.key});
  };
  present_below(authority.issue_authority({.common_name = "Between"}));
  EXPECT_EQ(detail(), "connected");
  present_below(authority.issue_authority(
      {.common_name = "Between", .not_before = std::chrono::hours(-48), .not_after = std::chrono::hours(-24)}));
  EXPECT_THAT(detail(), StartsWith("the authority's certificate \"CN=Between\" (depth 1, issued by \"CN=Test "
                                   "Authority\") expired on 20"));
}

TEST_F(TlsHandshake, RefusesWhatIsSignedByItself) {
  const CertificateAuthority somebody("Somebody");
  const Identity identity = somebody.issue();
  present({identity.certificate + somebody.certificate(), identity.key});
  EXPECT_EQ(detail(),
            "the authority's certificate \"CN=Somebody\" (depth 1, issued by \"CN=Somebody\") is an unknown authority");
}

TEST_F(TlsHandshake, RefusesACertificateThatIsNotForServers) {
  present({.extended_key_usage = "clientAuth"});
  EXPECT_EQ(detail(),
            "the peer's certificate \"CN=localhost\" (depth 0, issued by \"CN=Test Authority\") may not be used by a "
            "server; it is for TLS Web Client Authentication");
}

TEST_F(TlsHandshake, RefusesACertificateThatSomebodyWhoIsNoAuthoritySigned) {
  // Of the name of an authority, but made for a server.
  const CertificateAuthority named = authority.issue_authority({.common_name = "Named"});
  present(named.issue());
  client.certificate_authorities = {named.issue({.common_name = "Named"}).certificate};
  EXPECT_THAT(detail(), StartsWith("the authority's certificate \"CN=Named\" (depth 1, issued by \"CN=Named\") is not "
                                   "that of an authority"));
}

TEST_F(TlsHandshake, ShowsNothingOfACertificateThatCannotBePrinted) {
  present({.common_name = "two\nlines", .names = {}});
  EXPECT_THAT(detail("h"), HasSubstr("\"CN=two\\0Alines\""));
  present({.common_name = std::string(60, 'x'), .names = std::vector<std::string>(40, "DNS:" + std::string(300, 'y'))});
  EXPECT_THAT(detail("h"), AllOf(HasSubstr("y... and others"), testing::SizeIs(testing::Lt(3000u))));
}

TEST_F(TlsHandshake, TrustsThePeersOwnCertificateWhereThatIsGiven) {
  const Identity identity = authority.issue();
  present(identity);
  client.certificate_authorities = {identity.certificate};
  EXPECT_EQ(detail(), "connected");
}

TEST_F(TlsHandshake, WithAPeerThatSpeaksPlainTextFailsAndSaysSo) {
  const auto plain = network.listen();
  Connector::Options options;
  options.to = {"localhost", plain->port()};
  options.tls = TlsContext::client(client);
  Connector connector(network.context, network.resolver, options);
  std::string told;
  connector.connect(Network::patience, [&](auto, auto detail, auto) { told = detail; });
  ASSERT_TRUE(network.run_until([&] { return !network.accepted.empty(); }));
  Recorder recorder;
  network.accepted.front()->start(recorder);
  send_text(*network.accepted.front(), "220 mail.example.org ready\r\n");
  ASSERT_TRUE(network.run_until([&] { return !told.empty(); }));
  EXPECT_THAT(told, HasSubstr("wrong version number (does the peer speak TLS?)"));
}

TEST_F(TlsHandshake, WithAPeerThatHangsUpFails) {
  const auto plain = network.listen();
  Connector::Options options;
  options.to = {"127.0.0.1", plain->port()};
  options.tls = TlsContext::client(client);
  Connector connector(network.context, network.resolver, options);
  std::string told;
  connector.connect(Network::patience, [&](auto, auto detail, auto) { told = detail; });
  ASSERT_TRUE(network.run_until([&] { return !network.accepted.empty(); }));
  Recorder recorder;  // reads the client's greeting, so that the end is no reset
  recorder.when_received = [&](std::string_view) { network.accepted.front()->close(); };
  network.accepted.front()->start(recorder);
  ASSERT_TRUE(network.run_until([&] { return !told.empty(); }));
  EXPECT_THAT(told, HasSubstr("the peer closed the connection"));
}

TEST_F(TlsHandshake, AsksTheSystemsAuthoritiesWhereNoneAreGiven) {
  client.certificate_authorities.clear();
  EXPECT_EQ(detail(), unknown_authority);
}

/// The server asks for the client's certificate.
class MutualTls : public TlsHandshake {
 protected:
  MutualTls() {
    server.certificate_authorities = {authority.certificate()};
    server.client_authentication = ClientAuthentication::required;
  }
  void show(const Identity& identity) {
    client.certificate = identity.certificate;
    client.key = identity.key;
  }
  /// In TLS 1.3 a client is done before the server has looked at its certificate, so only the server can tell.
  bool is_accepted() {
    const ConnectResult result = connect();
    EXPECT_FALSE(result.error) << result.detail;
    EXPECT_TRUE(network.run_until([&] { return !network.accepted.empty() || !network.failures.empty(); }));
    if (!network.failures.empty() && result.stream) {
      Recorder recorder;
      result.stream->start(recorder);
      EXPECT_TRUE(network.run_until([&] { return !recorder.closed.empty(); }));
      EXPECT_EQ(recorder.closed.front().category(), tls_category()) << recorder.closed.front().message();
      EXPECT_THAT(recorder.closed.front().message(), StartsWith("the peer does not accept our certificate, or wants"));
    }
    return !network.accepted.empty();
  }
};

TEST_F(MutualTls, AcceptsAClientOfATrustedAuthority) {
  show(authority.issue({.common_name = "shipper-7", .names = {}}));
  EXPECT_TRUE(is_accepted());
}

TEST_F(MutualTls, RefusesAClientWithoutACertificate) {
  EXPECT_FALSE(is_accepted());
  EXPECT_THAT(network.failures.front().detail, HasSubstr("peer did not return a certificate"));
}

TEST_F(MutualTls, RefusesAClientOfAnUnknownAuthority) {
  show(CertificateAuthority("Somebody").issue({.common_name = "intruder"}));
  EXPECT_FALSE(is_accepted());
  EXPECT_THAT(network.failures.front().detail,
              HasSubstr("the peer's certificate \"CN=intruder\" (depth 0, issued by \"CN=Somebody\") is signed by an "
                        "unknown authority"));
}

TEST_F(MutualTls, RefusesACertificateThatIsNotForClients) {
  show(authority.issue({.common_name = "server", .extended_key_usage = "serverAuth"}));
  EXPECT_FALSE(is_accepted());
  EXPECT_THAT(network.failures.front().detail,
              HasSubstr("may not be used by a client; it is for TLS Web Server Authentication"));
}

TEST_F(MutualTls, WhereOptionalTakesNoCertificateButNoWrongOne) {
  server.client_authentication = ClientAuthentication::optional;
  EXPECT_TRUE(is_accepted());
  network.accepted.clear();
  show(CertificateAuthority("Somebody").issue());
  EXPECT_FALSE(is_accepted());
}

TEST_F(MutualTls, WithoutVerificationWantsACertificateButAnyWillDo) {
  server.verification_mode = VerificationMode::none;
  show(CertificateAuthority("Somebody").issue());
  EXPECT_TRUE(is_accepted());
}

}  // namespace
}  // namespace windlass::net
