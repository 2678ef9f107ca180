"""The labelling panel on a page of its own, for tests: `?audit=ID`."""

import streamlit as st

from app.api import face as faces
from app.ui import labelling, parts

st.set_page_config(page_title="labelling", layout="wide", initial_sidebar_state="collapsed")
st.html(f"<style>{parts.read('app.css')}</style>")
labelling.show(faces.current(), int(st.query_params["audit"]))
