import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** toxiproxy's HTTP API over the JDK's client, HTTP/2 offered. Arguments: the API's address, the upstream's. */
class ToxiproxyClient {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static String api;

    public static void main(String[] arguments) throws Exception {
        api = arguments[0];
        String upstream = arguments[1];
        say("version", call("GET", "/version", null));
        String proxy = call("POST", "/proxies", "{\"name\":\"demo\",\"listen\":\"127.0.0.1:0\",\"upstream\":\"" + upstream + "\"}");
        String listen = field(proxy, "listen");
        say("created", field(proxy, "name"), field(proxy, "enabled"), "" + field(proxy, "upstream").equals(upstream));
        say("asked", ask(listen));

        String toxics = "/proxies/demo/toxics";
        String toxic = call("POST", toxics, "{\"type\":\"latency\",\"attributes\":{\"latency\":200}}");
        say("toxic", field(toxic, "name"), field(toxic, "type"), field(toxic, "stream"), field(toxic, "toxicity"), field(toxic, "latency"));
        long began = System.nanoTime();
        String answer = ask(listen);
        say("late", answer, "" + (System.nanoTime() - began >= 199_000_000));
        call("PATCH", toxics + "/latency_downstream", "{\"attributes\":{\"latency\":400}}");
        began = System.nanoTime();
        answer = ask(listen);
        say("later", answer, "" + (System.nanoTime() - began >= 399_000_000),
            field(call("GET", toxics + "/latency_downstream", null), "latency"));
        call("DELETE", toxics + "/latency_downstream", null);
        say("well", ask(listen));

        call("POST", toxics, "{\"type\":\"limit_data\",\"name\":\"three\",\"attributes\":{\"bytes\":3}}");
        say("limited", ask(listen));
        call("POST", toxics, "{\"type\":\"reset_peer\",\"name\":\"never\",\"stream\":\"upstream\",\"toxicity\":0}");
        say("toxicity 0", ask(listen));
        call("POST", "/reset", "");
        say("reset", ask(listen));
        call("POST", toxics, "{\"type\":\"reset_peer\",\"attributes\":{\"timeout\":0}}");
        say("reset_peer", ask(listen));
        call("POST", "/reset", "");

        call("POST", "/proxies/demo", "{\"enabled\":false}");
        say("down", ask(listen));
        call("POST", "/proxies/demo", "{\"enabled\":true}");
        say("up", ask(listen));

        call("POST", "/populate", "[{\"name\":\"demo\",\"listen\":\"" + listen + "\",\"upstream\":\"" + upstream
            + "\"},{\"name\":\"other\",\"listen\":\"127.0.0.1:0\",\"upstream\":\"" + upstream + "\"}]");
        say("all", names());
        call("DELETE", "/proxies/other", null);
        say("left", names());
        say("missing", "" + call("GET", "/proxies/other", null).contains("404"));
    }

    private static String names() throws Exception {
        TreeSet<String> names = new TreeSet<>();
        Matcher matcher = Pattern.compile("\"name\":\"(.*?)\"").matcher(call("GET", "/proxies", null));
        while (matcher.find()) {
            names.add(matcher.group(1));
        }

        return String.join(" ", names);
    }

    private static String call(String method, String path, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(api + path)).method(method, body == null
            ? HttpRequest.BodyPublishers.noBody()
            : HttpRequest.BodyPublishers.ofString(body)).build();
        return CLIENT.send(request, HttpResponse.BodyHandlers.ofString()).body().trim();
    }

    private static String field(String json, String name) {
        Matcher matcher = Pattern.compile("\"" + name + "\":\"?(.*?)\"?[,}]").matcher(json);
        return matcher.find() ? matcher.group(1) : "none";
    }

    private static String ask(String listen) throws IOException {
        String[] address = listen.split(":");
        StringBuilder came = new StringBuilder();
        try (Socket socket = new Socket(address[0], Integer.parseInt(address[1]))) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write("hello\n".getBytes(StandardCharsets.US_ASCII));
            while (came.length() == 0 || came.charAt(came.length() - 1) != '\n') {
                int letter = socket.getInputStream().read();
                if (letter < 0) {
                    return came + " and the end";
                }

                came.append((char) letter);
            }

            return came.toString().trim();
        } catch (ConnectException refused) {
            return "ECONNREFUSED";
        } catch (SocketException reset) {
            return "ECONNRESET";
        }
    }

    private static void say(String... words) {
        System.out.println(String.join(" ", words));
    }
}
