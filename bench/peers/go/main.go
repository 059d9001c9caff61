// Capitalize PORT: a goroutine for each connection, with a buffer of its own.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
)

const mostUnfinished = 1 << 20

func capitalize(text []byte) {
	for i, c := range text {
		if c-'a' < 26 {
			text[i] = c - 32
		}
	}
}

// wholeLines says how many bytes the whole lines are; a line ends at LF or NUL.
func wholeLines(text []byte) int {
	if n := len(text); n > 0 && (text[n-1] == '\n' || text[n-1] == 0) {
		return n
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	return whole + bytes.LastIndexByte(text[whole:], 0) + 1
}

func serve(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 4096)
	filled := 0
	for {
		n, err := connection.Read(buffer[filled:])
		fresh := filled
		filled += n
		// What came before holds no end of a line.
		if whole := wholeLines(buffer[fresh:filled]); whole > 0 {
			whole += fresh
			capitalize(buffer[:whole])
			if _, err := connection.Write(buffer[:whole]); err != nil {
				return
			}
			filled = copy(buffer, buffer[whole:filled])
		}
		if err != nil {
			if errors.Is(err, io.EOF) && filled > 0 {
				capitalize(buffer[:filled])
				connection.Write(buffer[:filled])
			}
			return
		}
		if filled == len(buffer) {
			if filled > mostUnfinished {
				return
			}
			buffer = append(buffer, make([]byte, len(buffer))...)
		}
	}
}

func main() {
	if len(os.Args) < 2 {
		os.Exit(2)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening", listener.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go serve(connection)
	}
}
