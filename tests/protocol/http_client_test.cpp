#include "protocol/http_client.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include <windlass/error.h>

#include "wire/lumberjack_bytes.h"

namespace windlass::protocol {
namespace {

using namespace std::chrono_literals;
using test::batch_of;

struct Client {
  std::shared_ptr<HttpMemory> memory = std::make_shared<HttpMemory>();
  HttpClient http{std::make_shared<HttpClient::Options>(),
                  std::make_unique<BulkPayload>(
                      BulkPayload::Options{wire::bulk::Operation::create, wire::bulk::IndexName("i"), false}),
                  memory};

  // The outcome of three events, to which this is the answer.
  std::optional<PublishResult> answered(const std::string& status, const std::string& body,
                                        const std::string& fields = {}) {
    http.send(1, batch_of({"{\"a\":1}", "{\"a\":2}", "{\"a\":3}"}));
    http.output().clear();
    http.receive("HTTP/1.1 " + status + " x\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
                 "\r\n\r\n" + body);
    while (auto event = http.poll())
      if (event->kind == HttpClient::Event::Kind::done) return event->result;
    return std::nullopt;
  }
};

std::string items(std::initializer_list<int> statuses) {
  std::string text;
  for (const int status : statuses)
    text += fmt::format(R"({}{{"create":{{"status":{}}}}})", text.empty() ? "" : ",", status);
  return fmt::format(R"({{"errors":true,"items":[{}]}})", text);
}

TEST(HttpClient, TakesEachItemsAnswerForIt) {
  const auto result = Client().answered("200", items({201, 409, 400}));
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, PublishResult::returned({{2, errc::rejected}}));
  EXPECT_EQ(Client().answered("200", items({429, 503, 403})),
            PublishResult::returned({{0, errc::throttled}, {1, errc::temporary}, {2, errc::temporary}}));
}

TEST(HttpClient, NeverTakesAnUnreadableAnswerForSuccess) {
  for (const std::string& body : {std::string("<html>"), std::string(), items({201, 201})}) {
    Client client;
    EXPECT_FALSE(client.answered("200", body));
    EXPECT_EQ(client.http.receive(""), errc::protocol_error);
  }
}

TEST(HttpClient, HonoursRetryAfter) {
  EXPECT_EQ(Client().answered("429", "", "Retry-After: 7\r\n"), PublishResult::throttled(7s));
  EXPECT_EQ(
      parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", std::chrono::sys_days(std::chrono::days(9075)) + 8h + 49min),
      37s);
  EXPECT_EQ(parse_retry_after("soon", {}), std::nullopt);
}

TEST(HttpClient, HoldsWhatIsDenied) {
  Client client;
  EXPECT_FALSE(client.answered("403", "no"));
  EXPECT_EQ(client.http.receive(""), errc::denied);
  EXPECT_EQ(client.http.error_detail(), "POST / is answered 403 x: no");
}

TEST(HttpClient, PartsWhatIsTooLargeAndRejectsASingleEventThatIs) {
  Client client;
  EXPECT_FALSE(client.answered("413", ""));
  EXPECT_FALSE(client.http.output().empty());
  const std::string fine = items({201});
  client.http.receive("HTTP/1.1 413 x\r\nContent-Length: 0\r\n\r\n");
  for (int part = 0; part < 2; ++part)
    client.http.receive("HTTP/1.1 200 x\r\nContent-Length: " + std::to_string(fine.size()) + "\r\n\r\n" + fine);
  const auto event = client.http.poll();
  ASSERT_TRUE(event) << client.http.error_detail();
  EXPECT_EQ(event->result, PublishResult::returned({{0, errc::too_large}}));
}

TEST(HttpClient, HandsBackWithoutBlameWhatMeetsTheEndOfAnIdleConnection) {
  Client client;
  client.answered("200", items({201, 201, 201}));
  client.http.send(2, batch_of({"{}"}));
  EXPECT_FALSE(client.http.receive_end(errc::connection_lost));
  EXPECT_TRUE(client.http.finished());
  EXPECT_EQ(client.http.poll()->result, PublishResult::acked_first(0, {}));
}

TEST(HttpClient, IsLostWhenTheFirstRequestHasNoAnswer) {
  Client client;
  client.http.send(2, batch_of({"{}"}));
  EXPECT_EQ(client.http.receive_end(errc::connection_lost), errc::connection_lost);
}

}  // namespace
}  // namespace windlass::protocol
