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
    text += fmt::format(R"({}{{"create":{{"status":{}{}}}}})", text.empty() ? "" : ",", status,
                        status < 300 ? "" : R"(,"error":{"type":"t","reason":"r"})");
  return fmt::format(R"({{"errors":true,"items":[{}]}})", text);
}

TEST(HttpClient, TakesEachItemsAnswerForIt) {
  const auto result = Client().answered("200", items({201, 409, 400}));
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, PublishResult::returned({{2, errc::rejected, "400 t: r"}}));
  EXPECT_EQ(
      Client().answered("200", items({429, 503, 403})),
      PublishResult::returned(
          {{0, errc::throttled, "429 t: r"}, {1, errc::temporary, "503 t: r"}, {2, errc::temporary, "403 t: r"}}));
  EXPECT_EQ(Client().answered("200", items({404, 200, 401})),
            PublishResult::returned({{0, errc::rejected, "404 t: r"}, {2, errc::temporary, "401 t: r"}}));
}

TEST(HttpClient, RejectsWhatIsForbiddenWhereItIsToldTo) {
  BulkPayload payload({wire::bulk::Operation::create, wire::bulk::IndexName("i"), true});
  std::vector<PublishResult::Unpublished> rest;
  EXPECT_EQ(payload.read_answer(items({403, 201}), {4, 5}, rest), "");
  EXPECT_EQ(rest, (std::vector<PublishResult::Unpublished>{{4, errc::rejected, "403 t: r"}}));
}

TEST(HttpClient, TakesADuplicateForAFailureWhereItMeantToWriteOverIt) {
  BulkPayload payload({wire::bulk::Operation::index, wire::bulk::IndexName("i"), false});
  std::vector<PublishResult::Unpublished> rest;
  EXPECT_EQ(payload.read_answer(items({409}), {0}, rest), "");
  EXPECT_EQ(rest, (std::vector<PublishResult::Unpublished>{{0, errc::rejected, "409 t: r"}}));
}

TEST(HttpClient, LeavesItToTheBalancerWhetherABadRequestIsTheFaultOfAnEvent) {
  for (const char* status : {"400", "409", "422", "500", "408"}) {
    PublishResult expected = PublishResult::failed(errc::temporary);
    expected.detail = fmt::format("POST / is answered {} x: bad", status);
    EXPECT_EQ(Client().answered(status, "bad"), expected);
  }
}

TEST(HttpClient, NeverTakesAnUnreadableAnswerForSuccess) {
  for (const std::string& body : {std::string("<html>"), std::string(), items({201, 201}), items({201, 201, 100}),
                                  items({201, 201, 201}) + "}", std::string(R"({"errors":false})")}) {
    Client client;
    EXPECT_FALSE(client.answered("200", body));
    EXPECT_EQ(client.http.receive(""), errc::protocol_error);
  }
}

TEST(HttpClient, HonoursRetryAfter) {
  for (const char* status : {"429", "503"}) {
    const auto result = Client().answered(status, "", "Retry-After: 7\r\n");
    ASSERT_TRUE(result);
    EXPECT_EQ(result->error, errc::throttled);
    EXPECT_EQ(result->retry_after, 7s);
  }
  EXPECT_EQ(
      parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", std::chrono::sys_days(std::chrono::days(9075)) + 8h + 49min),
      37s);
  EXPECT_EQ(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", {}), 24h) << "farther away than nanoseconds count";
  EXPECT_EQ(parse_retry_after("Sat, 01 Jan 0001 00:00:00 GMT", {}), 0s);
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
  EXPECT_EQ(event->result, PublishResult::returned({{0, errc::rejected, "413 to a request with this event alone"}}));
}

TEST(HttpClient, SendsSmallerRequestsOverTheNextConnectionWhereA413ClosesThisOne) {
  Client first;
  EXPECT_FALSE(first.answered("413", "", "Connection: close\r\n"));
  EXPECT_TRUE(first.http.finished());
  Client second{first.memory};
  second.http.send(2, batch_of({"{\"a\":1}", "{\"a\":2}", "{\"a\":3}"}));
  const std::string request(second.http.output().view());
  EXPECT_NE(request.find("{\"a\":1}"), std::string::npos);
  EXPECT_EQ(request.find("{\"a\":3}"), std::string::npos);
}

TEST(HttpClient, HandsBackWithoutBlameWhatMeetsTheEndOfAnIdleConnection) {
  Client client;
  client.answered("200", items({201, 201, 201}));
  client.http.send(2, batch_of({"{}"}));
  EXPECT_FALSE(client.http.receive_end(errc::connection_lost));
  EXPECT_TRUE(client.http.finished());
  EXPECT_EQ(client.http.poll(), (HttpClient::Event{HttpClient::Event::Kind::again, 2}));
}

TEST(HttpClient, IsLostWhenTheFirstRequestHasNoAnswer) {
  Client client;
  client.http.send(2, batch_of({"{}"}));
  EXPECT_EQ(client.http.receive_end(errc::connection_lost), errc::connection_lost);
}

}  // namespace
}  // namespace windlass::protocol
