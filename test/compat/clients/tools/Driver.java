import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Apache's tools one after another in one JVM: a line {"class", "args", "stdin"} on stdin gives a line
 * {"out", "err", "exit"} on stdout. What a tool sends and prints is what its script would; only the start-up of a JVM
 * for each of them is saved.
 */
public final class Driver {
  /** Unwinds a tool that asks to end the process. */
  private static final class Ended extends Error {
    Ended() {
      super(null, null, false, false);
    }
  }

  /** The status of the first exit that a tool asked for. Some catch what unwinds them, complain, and ask again. */
  private static Integer status;

  private static void exit(int asked) {
    if (status == null) {
      status = asked;
      System.setOut(new PrintStream(OutputStream.nullOutputStream()));
      System.setErr(new PrintStream(OutputStream.nullOutputStream()));
    }
    throw new Ended();
  }

  public static void main(String[] args) throws Exception {
    ObjectMapper json = new ObjectMapper();
    PrintStream answers = System.out;
    Exit.setExitProcedure((asked, message) -> exit(asked));
    Exit.setHaltProcedure((asked, message) -> exit(asked));
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = lines.readLine()) != null; ) {
      JsonNode order = json.readTree(line);
      List<String> argv = new ArrayList<>();
      order.get("args").forEach(a -> argv.add(a.asText()));
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      ByteArrayOutputStream err = new ByteArrayOutputStream();
      System.setIn(new ByteArrayInputStream(order.get("stdin").asText().getBytes(StandardCharsets.UTF_8)));
      System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
      status = null;
      int exit = run(order.get("class").asText(), argv.toArray(String[]::new));
      answers.println(json.writeValueAsString(Map.of("out", out.toString(StandardCharsets.ISO_8859_1), // bytes as they are
          "err", err.toString(StandardCharsets.UTF_8), "exit", exit)));
      answers.flush();
    }
    Runtime.getRuntime().halt(0); // some tools leave threads behind
  }

  private static int run(String name, String[] argv) throws Exception {
    try {
      Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) argv);
    } catch (InvocationTargetException e) {
      if (status == null) {
        e.getCause().printStackTrace();
        return 1;
      }
    }
    return status == null ? 0 : status;
  }

  private Driver() {}
}
